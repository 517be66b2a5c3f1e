// sim/scenarios.h: what each scenario does, for the list in scenario.cc.
#pragma once

#include "sim/stage.h"

namespace spillway::sim {

void relay_calm(Stage& stage);
void relay_tight(Stage& stage);
void relay_rough(Stage& stage);
void relay_crash(Stage& stage);
void relay_cut(Stage& stage);
void relay_lossy(Stage& stage);
void relay_famine(Stage& stage);

}  // namespace spillway::sim
