#include "launcher/platform/access_token.h"

#include "net/http.h"

namespace launcher {

bool is_google_registry(std::string_view host) {
  return host == "gcr.io" || host.ends_with(".gcr.io") || host == "docker.pkg.dev" || host.ends_with("-docker.pkg.dev");
}

bool is_google_api(std::string_view url) {
  const net::HttpUrl parsed = net::HttpUrl::parse(url, "URL");
  return parsed.tls && parsed.host.ends_with(".googleapis.com");
}

}  // namespace launcher
