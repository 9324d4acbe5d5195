#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "oci/reference.h"

namespace launcher {

/// What happens to the machine when the workload has ended.
enum class RestartPolicy { kNever, kOnFailure, kAlways };

std::string_view name_of(RestartPolicy policy);

/// The operator's attributes as they came: key and text.
using Attributes = std::map<std::string, std::string>;

inline constexpr std::size_t kMaxAttributesBytes = std::size_t{4} << 20U;
/// Of attributes, and of the arguments in one of them; more than can be measured (kMaxLaunchEvents).
inline constexpr std::size_t kMaxAttributes = 16384;

/// A JSON object whose values are all strings; throws InvalidInput.
Attributes parse_attributes(std::string_view json);

/// What the operator of the machine wants to be run.
struct LaunchSpec {
  oci::ImageReference image;
  RestartPolicy restart_policy = RestartPolicy::kNever;
  std::optional<std::vector<std::string>> cmd = {};  ///< absent: the image's own; never empty
  std::map<std::string, std::string> env = {};       ///< by name, which is also the order in which it is measured

  /// Reads the attributes in the order of the contract, so that the first error wins. Attributes that it does not know
  /// are ignored; those of the contract that this launcher does not serve yet are refused when they ask for something.
  static LaunchSpec parse(const Attributes& attributes);

  /// For the log: no value of a variable is in it.
  base::Json loggable() const;
};

}  // namespace launcher
