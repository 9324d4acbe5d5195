#include "launcher/spec/registry_auth.h"

#include "base/encoding.h"
#include "base/error.h"

namespace launcher {
namespace {

constexpr std::string_view kKey = "tee-registry-auth";

oci::DockerConfig parse_auth(const std::string& text) {
  constexpr std::size_t kMaxTextBytes = oci::kMaxDockerConfigBytes / 3 * 4 + 4;
  if (text.size() > kMaxTextBytes)
    throw base::InvalidInput(kKey, "holds more than " + std::to_string(oci::kMaxDockerConfigBytes) + " bytes");
  const base::Bytes json = base::base64_decode(text, kKey);
  return oci::DockerConfig::parse(base::text_of(json), kKey);
}

}  // namespace

oci::DockerConfig read_registry_auth(AttributeReader& reader) {
  return reader.read(kKey, parse_auth).value_or(oci::DockerConfig());
}

}  // namespace launcher
