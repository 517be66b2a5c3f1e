// base/one_or_more.h: a list that people may write without brackets when it has one item.
#pragma once

#include <vector>

namespace spillway {

// For fields of the plan: `auth: jwt` is `auth: [jwt]`. Otherwise a vector.
template <class T>
struct OneOrMore : std::vector<T> {
  using std::vector<T>::vector;
};

}  // namespace spillway
