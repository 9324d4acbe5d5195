#include "teeserver/router.h"

#include <algorithm>

#include "base/log.h"
#include "teeserver/answers.h"

namespace teeserver {

base::Awaitable<net::HttpResponse> Router::handle(const net::HttpServerRequest& request) const {
  const auto endpoint = std::ranges::find(endpoints_, request.path, &Endpoint::path);
  if (endpoint == endpoints_.end()) co_return plain_text(404, "404 page not found\n");
  base::log::debug(endpoint->path + " called", {{"method", request.method}});
  const auto method = endpoint->methods.find(request.method);
  if (method != endpoint->methods.end()) co_return co_await method->second(request);
  net::HttpResponse response = plain_text(405, "TEE server received an invalid HTTP method: " + request.method);
  std::string allowed;
  for (const auto& [name, handler] : endpoint->methods) allowed += (allowed.empty() ? "" : ", ") + name;
  response.headers.push_back({"Allow", allowed});
  co_return response;
}

}  // namespace teeserver
