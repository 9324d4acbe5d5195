#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "net/http_server.h"
#include "oci/descriptor.h"

namespace test {

/// A registry on loopback that speaks the pulling half of the distribution API, with a hook for faults.
class FakeRegistry {
 public:
  explicit FakeRegistry(asio::any_io_executor executor);

  /// localhost:<port>
  std::string host() const { return "localhost:" + std::to_string(port_); }
  std::string url() const { return "http://" + host(); }

  oci::Descriptor add_blob(const std::string& media_type, const std::string& bytes);
  /// Served under `tag` and under its digest.
  oci::Descriptor add_manifest(const std::string& tag, const std::string& media_type, const std::string& bytes);

  /// What is served under `name`, a tag or a digest.
  oci::Descriptor manifest(const std::string& name) const;
  const std::string& manifest_bytes(const std::string& name) const { return manifests_.at(name).bytes; }

  /// Answers instead of the registry when it returns something.
  std::function<std::optional<net::HttpResponse>(const net::HttpServerRequest&)> fault;
  std::vector<net::HttpServerRequest> requests;
  std::size_t count(const std::string& path_part) const;

 private:
  base::Awaitable<net::HttpResponse> answer(const net::HttpServerRequest& request);

  struct Content {
    std::string media_type;
    std::string bytes;
  };
  std::map<std::string, Content> blobs_;
  std::map<std::string, Content> manifests_;
  net::HttpServer server_;
  std::uint16_t port_;
};

}  // namespace test
