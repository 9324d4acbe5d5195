#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/http_client.h"
#include "oci/distribution/registry_client.h"
#include "tests/unit/support/fake_registry.h"
#include "tests/unit/support/manual_time.h"
#include "tests/unit/support/raw_server.h"

/// A client of registries and two of these.
namespace test {

inline const std::string kManifestText = R"({"schemaVersion":2,"config":{},"layers":[]})";

/// What FakeRegistry's hook returns.
using FaultAnswer = std::optional<net::HttpResponse>;

inline oci::RegistryLimits quick_registry_limits() {
  oci::RegistryLimits limits;
  limits.retry.first_delay = base::Milliseconds{1};
  limits.retry.max_delay = base::Milliseconds{1};
  limits.transport.answer_timeout = base::Milliseconds{2000};
  return limits;
}

struct RegistryWorld {
  ManualContext context;
  FakeRegistry registry{context.get_executor()};
  FakeRegistry other{context.get_executor()};
  net::HttpClient http{context.get_executor()};
  std::optional<oci::Credential> credential;
  std::vector<std::string> asked_for;
  oci::RegistryClient client{http, [this](std::string host) { return credential_for(std::move(host)); },
                             quick_registry_limits()};
  oci::Descriptor manifest = registry.add_manifest("latest", std::string(oci::kOciManifest), kManifestText);
  oci::Descriptor blob = registry.add_blob("application/x", "the bytes of a blob");

  base::Awaitable<std::optional<oci::Credential>> credential_for(std::string host) {
    asked_for.push_back(std::move(host));
    co_return credential;
  }
  oci::ImageReference reference(const std::string& suffix = ":latest") const {
    return oci::ImageReference::parse(registry.host() + "/repo/x" + suffix, "test");
  }
  /// As long as pauses between attempts may be, and the bounds on bodies, but not as long as an answer is waited for.
  template <typename T>
  T run(base::Awaitable<T> task) {
    return context.time.run(std::move(task), base::Milliseconds{1500});
  }
  oci::ManifestBytes resolve(const std::string& suffix = ":latest") { return run(client.resolve(reference(suffix))); }
  std::string fetch(const oci::Descriptor& wanted) { return run(client.small_blob(reference(), wanted)); }
};

inline oci::ImageReference reference_at(const RawServer& server) {
  return oci::ImageReference::parse(server.url().substr(std::string("http://").size()) + "/x", "test");
}

inline net::HttpResponse challenged(const std::string& challenge) {
  return {401, {{"WWW-Authenticate", challenge}}, std::string(3000, ' ')};
}

inline net::HttpResponse redirected(const std::string& location, unsigned status = 307) {
  return {status, {{"Location", location}}, ""};
}

}  // namespace test
