#include "oci/image_config.h"

#include "base/error.h"
#include "base/json.h"
#include "oci/descriptor.h"
#include "oci/exact_names.h"

namespace oci {
namespace {

using base::InvalidInput;
using base::JsonObject;

constexpr base::JsonLimits kConfigLimits{
    .max_bytes = kMaxConfigBytes, .max_depth = 32, .max_values = kMaxDocumentValues};

std::map<std::string, std::string> parse_labels(const JsonObject& config) {
  std::map<std::string, std::string> labels;
  const auto object = config.optional_object("Labels");
  if (!object) return labels;
  for (const auto& [name, value] : object->raw().items()) {
    labels.emplace(name, value.is_null() ? std::string() : object->string(name.c_str()));
  }
  return labels;
}

std::vector<std::string> parse_exposed_ports(const JsonObject& config) {
  std::vector<std::string> ports;
  const auto object = config.optional_object("ExposedPorts");
  if (!object) return ports;
  for (const auto& [port, ignored] : object->raw().items()) ports.push_back(port);
  return ports;
}

void parse_execution(const JsonObject& config, ImageConfig& image) {
  expect_exact_names(config,
                     {"Entrypoint", "Cmd", "Env", "User", "WorkingDir", "Labels", "ExposedPorts", "StopSignal"});
  image.entrypoint = config.strings_or_empty("Entrypoint");
  image.cmd = config.strings_or_empty("Cmd");
  image.env = config.strings_or_empty("Env");
  image.user = config.string_or("User", "");
  image.working_dir = config.string_or("WorkingDir", "");
  image.labels = parse_labels(config);
  image.exposed_ports = parse_exposed_ports(config);
  image.stop_signal = config.string_or("StopSignal", "");
}

}  // namespace

ImageConfig parse_image_config(std::string_view bytes, std::string_view media_type) {
  if (!is_config(media_type)) throw InvalidInput("image config", "unsupported media type");
  const base::Json document = base::parse_json(bytes, "image config", kConfigLimits);
  const JsonObject object(document, "image config");
  expect_exact_names(object, {"os", "architecture", "variant", "config", "rootfs"});
  ImageConfig image;
  image.platform = {object.string_or("os", ""), object.string_or("architecture", ""), object.string_or("variant", "")};
  if (const auto config = object.optional_object("config")) parse_execution(*config, image);
  const JsonObject rootfs = object.object("rootfs");
  expect_exact_names(rootfs, {"type", "diff_ids"});
  const std::string type = rootfs.string_or("type", "");
  if (!type.empty() && type != "layers") throw InvalidInput("image config.rootfs.type", "is not \"layers\"");
  for (const std::string& id : rootfs.strings_or_empty("diff_ids")) {
    image.diff_ids.push_back(Digest::parse(id, "image config.rootfs.diff_ids"));
  }
  if (image.diff_ids.empty())
    throw InvalidInput("image config.rootfs.diff_ids", "an image without layers cannot be run");
  if (image.diff_ids.size() > kMaxLayers) throw InvalidInput("image config.rootfs.diff_ids", "too many layers");
  return image;
}

}  // namespace oci
