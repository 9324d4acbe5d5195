#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/asio.h"
#include "net/http.h"

namespace teeserver {

using Handler = std::function<base::Awaitable<net::HttpResponse>(const net::HttpServerRequest&)>;

/// One resource of the workload's door.
struct Endpoint {
  std::string path;  ///< the whole of it
  std::map<std::string, Handler> methods;
};

/// Finds who answers a request: 404 for a path that there is not, 405 for a method that it does not take.
class Router {
 public:
  explicit Router(std::vector<Endpoint> endpoints) : endpoints_(std::move(endpoints)) {}

  base::Awaitable<net::HttpResponse> handle(const net::HttpServerRequest& request) const;

 private:
  std::vector<Endpoint> endpoints_;
};

}  // namespace teeserver
