#pragma once

#include "launcher/spec/attributes.h"
#include "oci/distribution/docker_config.h"

namespace launcher {

/// tee-registry-auth: Docker's config.json in Base64. A secret that is kept from logs, events and other hosts; whoever
/// may read the machine's metadata reads it, the workload among them.
oci::DockerConfig read_registry_auth(AttributeReader& reader);

}  // namespace launcher
