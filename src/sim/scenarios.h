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

void gateway_calm(Stage& stage);
void gateway_tight(Stage& stage);
void gateway_rough(Stage& stage);
void gateway_kill(Stage& stage);
void gateway_outage(Stage& stage);
void gateway_reload(Stage& stage);
void gateway_queue(Stage& stage);
void gateway_hedge(Stage& stage);
void gateway_cut(Stage& stage);
void gateway_lossy(Stage& stage);
void gateway_stop(Stage& stage);
void gateway_famine(Stage& stage);

}  // namespace spillway::sim
