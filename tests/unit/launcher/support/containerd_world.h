#pragma once

#include <cstdlib>
#include <string>

#include <boost/asio/io_context.hpp>

#include "launcher/containerd/client.h"
#include "launcher/containerd/content_store.h"
#include "oci/descriptor.h"
#include "tests/unit/launcher/support/containerd_daemon.h"
#include "tests/unit/support/run.h"
#include "tests/unit/support/skip.h"

namespace test {

/// Says why a test is left out where containerd can't be run.
inline bool containerd_is_missing() { return skips(ContainerdDaemon::why_not()); }

/// The snapshotter that works where the tests run.
inline std::string snapshotter() {
  const char* name = std::getenv("CS_TEST_SNAPSHOTTER");
  return name == nullptr ? "overlayfs" : name;
}

/// A containerd of its own and a client of it.
struct ContainerdWorld {
  asio::io_context context;
  ContainerdDaemon daemon;
  launcher::ContainerdClient client{daemon.socket()};

  template <typename T>
  T run(base::Awaitable<T> work) {
    return test::run(context, std::move(work));
  }
};

inline oci::Descriptor describe(const std::string& bytes, const std::string& media_type = "application/x") {
  return {media_type, oci::Digest::of(base::view_of(bytes)), bytes.size()};
}

/// Puts a blob without labels into the store of `client`.
inline oci::Descriptor put_blob(asio::io_context& context, const launcher::ContainerdClient& client,
                                const std::string& bytes, const std::string& media_type = "application/x") {
  oci::Descriptor descriptor = describe(bytes, media_type);
  run(context, launcher::ContentStore(client).put(descriptor, bytes, {}));
  return descriptor;
}

}  // namespace test
