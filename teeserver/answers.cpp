#include "teeserver/answers.h"

#include "base/log.h"

namespace teeserver {

using net::HttpResponse;

HttpResponse plain_text(unsigned status, const std::string& text) {
  return {status, {{"Content-Type", "text/plain; charset=utf-8"}, {"X-Content-Type-Options", "nosniff"}}, text};
}

HttpResponse too_many_attestations() {
  HttpResponse response = plain_text(net::status::kTooManyRequests, "too many attestations are waited for");
  response.headers.push_back({"Retry-After", "1"});
  return response;
}

HttpResponse failure(unsigned status, std::string_view prefix, const base::Error& error) {
  const std::string text = std::string(prefix) + error.what();
  base::log::error(text);
  return plain_text(status, text);
}

HttpResponse json_document(const base::Json& document) {
  return {net::status::kOk, {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}}, document.dump()};
}

}  // namespace teeserver
