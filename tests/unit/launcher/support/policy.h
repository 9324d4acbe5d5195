#pragma once

#include <string>

#include "base/error.h"
#include "launcher/policy/labels.h"
#include "launcher/spec/launch_spec.h"
#include "tests/unit/catch.h"

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
ReadPolicy<Policy> read_policy(const launcher::ImageLabels& labels) {
  launcher::LabelReader reader(labels);
  Policy policy = Policy::read(reader);
  return {std::move(policy), text_of(reader.problems())};
}

/// What a specification asks for beyond labels that are right.
template <typename Policy>
std::string violations(const launcher::ImageLabels& labels, const launcher::LaunchSpec& spec) {
  const auto read = read_policy<Policy>(labels);
  CHECK(read.problems.empty());
  launcher::Problems problems;
  read.policy.verify(spec, problems);
  return text_of(problems);
}

}  // namespace test
