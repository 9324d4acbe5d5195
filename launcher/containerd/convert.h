#pragma once

// Between containerd's messages and our types. Included by the services' .cpp files only.

#include <map>
#include <string>
#include <vector>

#include <github.com/containerd/containerd/api/types/descriptor.pb.h>
#include <github.com/containerd/containerd/api/types/mount.pb.h>

#include "launcher/containerd/mount.h"
#include "oci/descriptor.h"

namespace launcher::rpc {

template <typename Messages>
std::vector<Mount> from_messages(const Messages& messages) {
  std::vector<Mount> mounts;
  for (const auto& message : messages) {
    mounts.push_back({message.type(), message.source(), {message.options().begin(), message.options().end()}});
  }
  return mounts;
}

inline ::containerd::types::Mount to_message(const Mount& mount) {
  ::containerd::types::Mount message;
  message.set_type(mount.type);
  message.set_source(mount.source);
  for (const std::string& option : mount.options) message.add_options(option);
  return message;
}

inline ::containerd::types::Descriptor to_message(const oci::Descriptor& descriptor) {
  ::containerd::types::Descriptor message;
  message.set_media_type(descriptor.media_type);
  message.set_digest(descriptor.digest.string());
  message.set_size(static_cast<std::int64_t>(descriptor.size));
  return message;
}

/// Containerd is trusted, its answer is still checked: a Digest is always well formed.
inline oci::Descriptor from_message(const ::containerd::types::Descriptor& message) {
  return {message.media_type(), oci::Digest::parse(message.digest(), "containerd descriptor"),
          static_cast<std::uint64_t>(message.size())};
}

template <typename Map>
void fill_labels(Map& to, const std::map<std::string, std::string>& labels) {
  for (const auto& [name, value] : labels) to[name] = value;
}

}  // namespace launcher::rpc
