#include "tests/unit/support/fake_registry.h"

#include <algorithm>

namespace test {

FakeRegistry::FakeRegistry(asio::any_io_executor executor)
    : server_(std::move(executor), [this](const net::HttpServerRequest& request) { return answer(request); },
              {.max_buffered_bytes = std::size_t{64} << 20U}),
      port_(server_.listen_tcp("127.0.0.1", 0)) {}

oci::Descriptor FakeRegistry::add_blob(const std::string& media_type, const std::string& bytes) {
  oci::Descriptor descriptor{media_type, oci::Digest::of(base::view_of(bytes)), bytes.size()};
  blobs_[descriptor.digest.string()] = {media_type, bytes};
  return descriptor;
}

oci::Descriptor FakeRegistry::add_manifest(const std::string& tag, const std::string& media_type,
                                           const std::string& bytes) {
  oci::Descriptor descriptor{media_type, oci::Digest::of(base::view_of(bytes)), bytes.size()};
  manifests_[descriptor.digest.string()] = {media_type, bytes};
  manifests_[tag] = {media_type, bytes};
  return descriptor;
}

oci::Descriptor FakeRegistry::manifest(const std::string& name) const {
  const Content& content = manifests_.at(name);
  return {content.media_type, oci::Digest::of(base::view_of(content.bytes)), content.bytes.size()};
}

std::size_t FakeRegistry::count(const std::string& path_part) const {
  return static_cast<std::size_t>(std::ranges::count_if(requests, [&](const net::HttpServerRequest& request) {
    return request.path.find(path_part) != std::string::npos;
  }));
}

base::Awaitable<net::HttpResponse> FakeRegistry::answer(const net::HttpServerRequest& request) {
  requests.push_back(request);
  if (fault) {
    if (auto response = fault(request)) co_return std::move(*response);
  }
  const std::string last = request.path.substr(request.path.rfind('/') + 1);
  const bool is_blob = request.path.find("/blobs/") != std::string::npos;
  const auto& all = is_blob ? blobs_ : manifests_;
  const auto found = all.find(last);
  net::HttpResponse response;
  if (found == all.end()) {
    response.status = 404;
    response.body = R"({"errors":[{"code":"MANIFEST_UNKNOWN"}]})";
    co_return response;
  }
  response.headers.push_back({"Content-Type", is_blob ? "application/octet-stream" : found->second.media_type});
  response.headers.push_back({"Docker-Content-Digest", oci::Digest::of(base::view_of(found->second.bytes)).string()});
  response.body = found->second.bytes;
  co_return response;
}

}  // namespace test
