#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/plan/runtime_spec.h"
#include "launcher/spec/launch_spec.h"
#include "oci/image_config.h"

namespace launcher {

/// The operator's variables, by name; a map, so that their order is the same on every launch.
using EnvOverrides = std::map<std::string, std::string>;

/// All of these: what is run of an image, but for the user, who stands in the image's files. Throws what they throw.
ProcessSpec process_of(const oci::ImageConfig& image, const LaunchSpec& spec, std::string_view hostname);

/// Entrypoint, then the operator's command where there is one, else the image's. Throws InvalidInput when nothing
/// remains to be run, when a command was given for an image without an entrypoint, or for an argument that is not UTF-8
/// without NUL or too long for execve(2).
std::vector<std::string> final_args(const oci::ImageConfig& image,
                                    const std::optional<std::vector<std::string>>& cmd_override);

/// NAME=VALUE of every variable that the process gets, one entry for each name: the image's (of duplicates the last
/// value, at the first's place), or containerd's PATH when the image has not a single one, then `overrides`, then
/// HOSTNAME=`hostname`, which nothing overrides. Throws InvalidInput, naming the variable and never its value, for a
/// name that can't be measured (measure::is_env_name), a NUL, invalid UTF-8, or what is too long for execve(2).
std::vector<std::string> final_env(const oci::ImageConfig& image, const EnvOverrides& overrides,
                                   std::string_view hostname);

/// The image's working directory, "/" where it names none; throws InvalidInput when it is not absolute.
std::string final_working_dir(const oci::ImageConfig& image);

}  // namespace launcher
