#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "oci/digest.h"
#include "oci/platform.h"

namespace oci {

/// What an image says about how it wants to be run (OCI image spec, config.md). Strings are as the image has them: not
/// yet judged, only of the right type and valid UTF-8.
struct ImageConfig {
  /// Empty parts where the config does not say. Not normalized.
  Platform platform;
  std::vector<std::string> entrypoint;
  std::vector<std::string> cmd;
  std::vector<std::string> env;  ///< NAME=VALUE
  std::string user;
  std::string working_dir;
  std::map<std::string, std::string> labels;
  std::vector<std::string> exposed_ports;  ///< port/protocol, sorted
  std::string stop_signal;
  std::vector<Digest> diff_ids;  ///< of the uncompressed layers, lowest first, at least one
};

/// Parses untrusted bytes that the manifest announces as `media_type`; throws InvalidInput, which names the field.
ImageConfig parse_image_config(std::string_view bytes, std::string_view media_type);

}  // namespace oci
