#pragma once

#include <string>

#include "base/error.h"
#include "launcher/policy/labels.h"

namespace test {

/// What a family of labels is read as, and what is wrong with them.
template <typename Policy>
struct ReadPolicy {
  Policy policy;
  std::string problems;
};

inline std::string text_of(const launcher::Problems& problems) {
  try {
    problems.throw_if_any();
    return "";
  } catch (const base::Error& error) {
    return error.what();
  }
}

template <typename Policy>
ReadPolicy<Policy> read_policy(const launcher::Labels& labels) {
  launcher::LabelReader reader(labels);
  Policy policy = Policy::read(reader);
  return {std::move(policy), text_of(reader.problems())};
}

}  // namespace test
