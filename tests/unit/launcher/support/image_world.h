#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <sys/resource.h>

#include <boost/asio/io_context.hpp>

#include "launcher/plan/process.h"
#include "launcher/plan/runtime_spec.h"
#include "launcher/containerd/container.h"
#include "launcher/containerd/content_store.h"
#include "launcher/containerd/image_store.h"
#include "launcher/containerd/lease.h"
#include "launcher/containerd/snapshotter.h"
#include "launcher/pull/image.h"
#include "net/http_client.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher/support/containerd_contents.h"
#include "tests/unit/launcher/support/containerd_daemon.h"
#include "tests/unit/launcher/support/containerd_world.h"
#include "tests/unit/support/fake_registry.h"
#include "tests/unit/support/run.h"

namespace test {

/// Tries again without a pause.
inline oci::RegistryLimits quick_registry() {
  oci::RegistryLimits limits;
  limits.retry.first_delay = base::Milliseconds{1};
  limits.retry.max_delay = base::Milliseconds{1};
  return limits;
}

/// What a pull needs: a containerd, a registry, and their clients.
struct ImageWorld {
  asio::io_context context;
  ContainerdDaemon daemon;
  FakeRegistry registry{context.get_executor()};
  net::HttpClient http{context.get_executor()};
  oci::RegistryClient client{http, {}, quick_registry()};
  launcher::ContainerdClient containerd{daemon.socket()};
  launcher::PullOptions options;

  ImageWorld() { options.snapshotter = snapshotter(); }

  oci::ImageReference reference(const std::string& tag) const {
    return oci::ImageReference::parse(registry.host() + "/tiny:" + tag, "test");
  }
  launcher::Image pull_tag(const std::string& tag) {
    return test::run(context, launcher::pull(client, containerd, reference(tag), options));
  }
  launcher::ContainerNames names() const {
    launcher::ContainerNames result;
    result.snapshotter = options.snapshotter;
    return result;
  }
  launcher::ContainerSetup container_setup() const {
    launcher::ContainerSetup setup{daemon.folder(), "/default/tee-container"};
    // Where the tests run, nobody may be able to raise the limit.
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    setup.max_open_files = std::min<std::uint64_t>(limit.rlim_max, launcher::kMaxOpenFiles);
    return setup;
  }
  base::Json spec_for(const launcher::Image& image, const std::vector<std::string>& args) const {
    launcher::ProcessSpec process{args, launcher::final_env(image.config, {}, "host"), {}, "/"};
    const launcher::ContainerSetup setup = container_setup();
    return launcher::build_runtime_spec(process, setup);
  }

  void expect_nothing_left() {
    CHECK(test::run(context, launcher::Lease::list(containerd)).empty());
    CHECK(test::run(context, launcher::ContentStore(containerd).list_ingests()).empty());
    CHECK(test::blobs_of(containerd).empty());
    CHECK(test::run(context, launcher::Snapshotter(containerd, options.snapshotter).list()).empty());
    CHECK(test::run(context, launcher::ContainerStore(containerd).list()).empty());
    CHECK(test::run(context, launcher::ImageStore(containerd).list()).empty());
  }
};

}  // namespace test
