#include "verifier/service/admin_api.h"

#include <string>

#include "tests/unit/catch.h"
#include "tests/unit/verifier/support/api_service.h"

using base::Json;
using verifier::AdminApi;

namespace {

net::HttpResponse ask(const AdminApi& admin, std::string path, std::string query = {}, std::string method = "GET") {
  return admin.handle({std::move(method), std::move(path), std::move(query), {}, {}});
}

}  // namespace

TEST_CASE("the operator is told of tokens and refusals") {
  test::ApiService service;
  const AdminApi admin(service.api(), base::Clock::system());
  CHECK(service.attest().status == 200);
  CHECK(service.verify(service.challenge(), Json::object()).status == 400);
  const Json all = Json::parse(ask(admin, "/v1/appraisals").body).at("appraisals");
  REQUIRE(all.size() == 2);
  CHECK(all[0].at("outcome") == "refused");
  CHECK(all[1].at("outcome") == "token");
  CHECK(all[1].at("explanation").at("standing") == "matched");
  const std::string instance = all[1].at("instance_id").get<std::string>();
  CHECK(Json::parse(ask(admin, "/v1/appraisals", "instance_id=" + instance).body).at("appraisals").size() == 1);
  CHECK(Json::parse(ask(admin, "/v1/appraisals", "instance_id=").body).at("appraisals").size() == 2);
  CHECK(Json::parse(ask(admin, "/v1/appraisals", "instance_id=1").body).at("appraisals").empty());
  const Json status = Json::parse(ask(admin, "/v1/status").body);
  CHECK(status.at("tokens") == 1);
  CHECK(status.at("refusals") == 1);
  CHECK(status.at("images") == 1);
  CHECK(status.at("issuer") == service.config().issuer);
}

TEST_CASE("whatever else is asked on the operator's socket is refused") {
  test::ApiService service;
  const AdminApi admin(service.api(), base::Clock::system());
  CHECK(ask(admin, "/v1/other").status == 404);
  CHECK(ask(admin, "/v1/appraisals", "colour=red").status == 400);
  CHECK(ask(admin, "/v1/status", "", "POST").status == 405);
}
