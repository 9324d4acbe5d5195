#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/bytes.h"
#include "base/error.h"
#include "oci/distribution/docker_config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const oci::DockerConfig config = oci::DockerConfig::parse(base::text_of({data, size}), "config");
    for (const char* host : {"registry-1.docker.io", "localhost", "r.example", "r.example:5000"}) {
      const auto credential = config.credential_for(host);
      if (credential && (config.empty() || credential->username.empty())) std::abort();
    }
    if (config.credential_for("registry") || config.credential_for("")) std::abort();
  } catch (const base::Error&) {
  }
  return 0;
}
