#pragma once

#include <string>
#include <vector>

#include "launcher/containerd/client.h"

namespace test {

/// The digests of all blobs in a containerd's store.
std::vector<std::string> blobs_of(const launcher::ContainerdClient& client);
/// The names of the labels that containerd keeps for a container.
std::vector<std::string> label_names_of(const launcher::ContainerdClient& client, const std::string& id);
/// A container's runtime spec, byte for byte.
std::string spec_of(const launcher::ContainerdClient& client, const std::string& id);

}  // namespace test
