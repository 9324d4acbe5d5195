#include "verifier/service/admin_api.h"

#include <string>
#include <string_view>

#include "base/json.h"

namespace verifier {
namespace {

using base::Json;
using net::HttpResponse;

HttpResponse admin_answer(unsigned status, const Json& body) {
  return {.status = status,
          .headers = {{"Content-Type", "application/json; charset=UTF-8"}, {"Cache-Control", "no-store"}},
          .body = body.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

HttpResponse admin_error(unsigned status, const char* message) {
  return admin_answer(status, {{"error", {{"code", status}, {"message", message}}}});
}

}  // namespace

Json AdminApi::status() const {
  const Knowledge& knowledge = api_.knowledge();
  const Signers& signers = api_.signers();
  return {{"issuer", knowledge.config.issuer},
          {"since", base::to_rfc3339(since_)},
          {"images", knowledge.reference_values.size()},
          {"signing_key", signers.oidc.keys().signing(clock_.wall()).key.key_id()},
          {"pki", signers.pki != nullptr},
          {"tokens", api_.recent().tokens()},
          {"refusals", api_.recent().refusals()}};
}

HttpResponse AdminApi::handle(const net::HttpServerRequest& request) const {
  constexpr unsigned kBadRequest = 400;
  constexpr unsigned kMethodNotAllowed = 405;
  if (request.method != "GET") return admin_error(kMethodNotAllowed, "only GET is taken here");
  if (request.path == "/v1/status") return admin_answer(net::status::kOk, status());
  if (request.path != "/v1/appraisals") return admin_error(net::status::kNotFound, "there is no such resource");
  constexpr std::string_view kInstance = "instance_id=";
  std::string_view query = request.query;
  if (!query.empty() && !query.starts_with(kInstance)) {
    return admin_error(kBadRequest, "the only parameter is instance_id");
  }
  if (!query.empty()) query.remove_prefix(kInstance.size());
  return admin_answer(net::status::kOk, {{"appraisals", api_.recent().list(query)}});
}

}  // namespace verifier
