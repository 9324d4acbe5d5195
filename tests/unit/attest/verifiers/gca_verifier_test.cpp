#include "attest/verifiers/gca_verifier.h"

#include "net/http_server.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/captured_log.h"
#include "tests/unit/support/manual_time.h"
#include "tests/unit/support/raw_server.h"
#include "tests/unit/support/run.h"
#include "tests/unit/support/temporary_directory.h"
#include "tests/unit/support/tls.h"

using attest::GcaVerifier;
using base::Awaitable;
using evidence::Challenge;
using evidence::StatusCode;
using evidence::StatusError;
using net::HttpResponse;
using net::HttpServerRequest;

namespace {

HttpResponse json_response(unsigned status, const base::Json& body) {
  return {status, {{"Content-Type", "application/json"}}, body.dump()};
}

/// A verifier whose answers a test sets, one for each path's end.
struct GcaService {
  test::ManualContext context;
  std::vector<HttpResponse> answers;  ///< in order; the last stays
  std::vector<HttpServerRequest> requests;
  net::HttpServer server{context.get_executor(), [this](const HttpServerRequest& request) { return answer(request); }};
  std::string url = "http://127.0.0.1:" + std::to_string(server.listen_tcp("127.0.0.1", 0));

  Awaitable<HttpResponse> answer(const HttpServerRequest& request) {
    requests.push_back(request);
    HttpResponse response = answers.front();
    if (answers.size() > 1) answers.erase(answers.begin());
    co_return response;
  }

  GcaVerifier client() { return client_of(context, url); }

  static GcaVerifier client_of(asio::io_context& context, const std::string& url) {
    GcaVerifier::Config config;
    config.endpoint = url;
    config.project_id = "p";
    config.region = "r";
    return GcaVerifier(context.get_executor(), std::move(config));
  }
};

/// As long as the client's pauses between attempts may be, but not as long as it waits for an answer.
constexpr std::chrono::milliseconds kLongestPause{1200};

std::string code_of(test::ManualContext& context, Awaitable<Challenge> call) {
  try {
    context.time.run(std::move(call), kLongestPause);
    return "";
  } catch (const StatusError& error) {
    return std::string(name_of(error.code()));
  }
}

const base::Json kGivenChallenge = {{"name", "projects/p/locations/r/challenges/c"}, {"tpmNonce", "AAECAw=="}};

}  // namespace

TEST_CASE("the calls go where the REST API says, over one connection") {
  GcaService service;
  GcaVerifier client = service.client();
  service.answers = {
      json_response(200, base::Json::object()), json_response(200, kGivenChallenge),
      json_response(200, {{"attestationToken", "a.b.c"}, {"partialErrors", base::Json::array({{{"message", "m"}}})}})};
  service.context.time.run(client.check_location(), kLongestPause);
  Challenge challenge = service.context.time.run(client.create_challenge(), kLongestPause);
  CHECK(challenge.nonce == base::Bytes{0, 1, 2, 3});
  evidence::VerifyRequest request;
  request.id_tokens = {"id"};
  CHECK(service.context.time.run(client.verify(challenge, request), kLongestPause) == "a.b.c");
  REQUIRE(service.requests.size() == 3);
  CHECK(service.requests[0].method == "GET");
  CHECK(service.requests[0].path == "/v1/projects/p/locations/r");
  CHECK(service.requests[1].method == "POST");
  CHECK(service.requests[1].path == "/v1/projects/p/locations/r/challenges");
  CHECK(service.requests[1].body == "{}");
  CHECK(service.requests[2].path == "/v1/projects/p/locations/r/challenges/c:verifyConfidentialSpace");
  CHECK(service.requests[2].header("Authorization").empty());
  CHECK(service.server.connection_count() == 1);
}

TEST_CASE("of partial errors so many are logged, and the number of the others") {
  const auto lines = [](std::size_t count) {
    GcaService service;
    GcaVerifier client = service.client();
    base::Json answer = {{"attestationToken", "a.b.c"}};
    answer["partialErrors"] = std::vector<base::Json>(count, {{"message", "m"}});
    service.answers = {json_response(200, answer)};
    const test::CapturedLog log;
    CHECK(service.context.time.run(client.verify(Challenge{"projects/p/locations/r/challenges/c", {1}}, {}),
                                   kLongestPause) == "a.b.c");
    return std::pair(log.count("Partial errors from"),
                     log.count("more partial errors from VerifyAttestation\" count=1"));
  };
  CHECK(lines(16) == std::pair(std::size_t{16}, std::size_t{0}));
  CHECK(lines(17) == std::pair(std::size_t{16}, std::size_t{1}));
}

TEST_CASE("the access token is sent where there is one") {
  GcaService service;
  service.answers = {json_response(200, kGivenChallenge)};
  GcaVerifier::Config config;
  config.endpoint = service.url;
  config.project_id = "p";
  config.region = "r";
  config.access_token = []() -> Awaitable<std::optional<std::string>> { co_return "secret"; };
  GcaVerifier client(service.context.get_executor(), std::move(config));
  service.context.time.run(client.create_challenge(), kLongestPause);
  CHECK(service.requests[0].header("Authorization") == "Bearer secret");
}

TEST_CASE("an access token is asked for once, however often the verifier is") {
  GcaService service;
  service.answers = {json_response(503, evidence::error_json(StatusCode::kUnavailable, "later"))};
  int asked = 0;
  base::Error no_token("the source of tokens has tried by itself");
  no_token.set_transience(base::Transience::kMayPass);
  GcaVerifier::Config config{
      .endpoint = service.url, .ca_file = {}, .project_id = "p", .region = "r", .access_token = {}};
  const auto challenge = [&](bool has_token) {
    asked = 0;
    config.access_token = [&asked, &no_token, has_token]() -> Awaitable<std::optional<std::string>> {
      ++asked;
      if (!has_token) throw base::Error(no_token);
      co_return "secret";
    };
    GcaVerifier client(service.context.get_executor(), config);
    service.context.time.run(client.create_challenge(), kLongestPause);
  };
  CHECK_THROWS_WITH(challenge(true), ContainsSubstring("later"));
  CHECK(asked == 1);
  CHECK(service.requests.size() == 3);
  CHECK(service.requests[2].header("Authorization") == "Bearer secret");
  CHECK_THROWS_WITH(challenge(false), ContainsSubstring("tried by itself"));
  CHECK(asked == 1);
}

TEST_CASE("a region that there is not is answered with those there are") {
  GcaService service;
  GcaVerifier client = service.client();
  const base::Json regions = {
      {"locations", base::Json::array({{{"locationId", "us-central1"}}, {{"locationId", "europe-west4"}}})}};
  service.answers = {json_response(404, evidence::error_json(StatusCode::kNotFound, "no")),
                     json_response(200, regions)};
  CHECK_THROWS_WITH(service.context.time.run(client.check_location(), kLongestPause),
                    "invalid region \"r\", available regions are [us-central1 europe-west4]");
}

TEST_CASE("the regions that there are come page by page, and as many as a person reads") {
  GcaService service;
  GcaVerifier client = service.client();
  const auto page = [](const std::string& region, const std::string& next) {
    return json_response(200, {{"locations", base::Json::array({{{"locationId", region}}})}, {"nextPageToken", next}});
  };
  const auto regions = [&](std::vector<HttpResponse> pages) {
    service.requests.clear();
    service.answers = std::move(pages);
    service.answers.insert(service.answers.begin(),
                           json_response(404, evidence::error_json(StatusCode::kNotFound, "no")));
    try {
      service.context.time.run(client.check_location(), kLongestPause);
      return std::string();
    } catch (const StatusError& error) {
      const std::string text = error.what();
      return text.substr(text.find('['));
    }
  };
  CHECK(regions({page("a", "2/&"), page("b", "")}) == "[a b]");
  CHECK(service.requests.at(1).query.empty());
  CHECK(service.requests.at(2).query == "pageToken=2%2F%26");
  INFO("a service whose pages never end");
  CHECK(regions({page("a", "more")}) == "[a a a a a a a a ...]");
  CHECK(service.requests.size() == 9);
  INFO("names and tokens without end");
  CHECK(regions({page("a", "more"), page(std::string(2048, 'b'), "")}) == "[a ...]");
  CHECK(regions({page("a", std::string(1025, 't'))}) == "[a ...]");
}

TEST_CASE("refusals keep the service's own word and code") {
  GcaService service;
  GcaVerifier client = service.client();
  service.answers = {json_response(403, evidence::error_json(StatusCode::kPermissionDenied, "role missing"))};
  try {
    service.context.time.run(client.create_challenge(), kLongestPause);
    FAIL("no error");
  } catch (const StatusError& error) {
    CHECK(error.code() == StatusCode::kPermissionDenied);
    CHECK_THAT(error.what(), ContainsSubstring("role missing"));
  }
  CHECK(service.requests.size() == 1);
  service.answers = {
      json_response(403, evidence::error_json(StatusCode::kPermissionDenied, std::string(500, 'm') + "n"))};
  CHECK_THROWS_WITH(service.context.time.run(client.create_challenge(), kLongestPause),
                    ContainsSubstring(std::string(500, 'm')) && !ContainsSubstring("mn"));
  service.answers = {HttpResponse{400, {}, "<html>proxy</html>"}};
  CHECK(code_of(service.context, client.create_challenge()) == "INVALID_ARGUMENT");
}

TEST_CASE("429 says when to come back (T 18)") {
  GcaService service;
  GcaVerifier client = service.client();
  service.answers = {HttpResponse{429, {{"Retry-After", "17"}}, ""}};
  try {
    service.context.time.run(client.create_challenge(), kLongestPause);
    FAIL("no error");
  } catch (const StatusError& error) {
    CHECK(error.code() == StatusCode::kResourceExhausted);
    CHECK(error.retry_after() == std::chrono::seconds(17));
  }
  for (const char* a_day_or_more : {"86400", "86401", "4294967295"}) {
    service.answers = {HttpResponse{429, {{"Retry-After", a_day_or_more}}, ""}};
    try {
      service.context.time.run(client.create_challenge(), kLongestPause);
      FAIL("no error");
    } catch (const StatusError& error) {
      CHECK(error.retry_after() == std::chrono::hours(24));
      CHECK(error.may_pass());
    }
  }
  service.answers = {HttpResponse{429, {{"Retry-After", "-3x"}}, ""}};
  try {
    service.context.time.run(client.create_challenge(), kLongestPause);
  } catch (const StatusError& error) {
    CHECK_FALSE(error.retry_after().has_value());
  }
}

TEST_CASE("5xx is tried again for a challenge, but a verification never is (T 18)") {
  GcaService service;
  GcaVerifier client = service.client();
  service.answers = {HttpResponse{503, {}, ""}, HttpResponse{500, {}, ""}, json_response(200, kGivenChallenge)};
  CHECK(code_of(service.context, client.create_challenge()).empty());
  CHECK(service.requests.size() == 3);
  service.requests.clear();
  service.answers = {HttpResponse{408, {}, "a proxy gave up"}, json_response(200, kGivenChallenge)};
  CHECK(code_of(service.context, client.create_challenge()).empty());
  CHECK(service.requests.size() == 2);
  service.requests.clear();
  service.answers = {HttpResponse{503, {}, ""}};
  CHECK(code_of(service.context, client.create_challenge()) == "UNAVAILABLE");
  CHECK(service.requests.size() == 3);
  service.requests.clear();
  CHECK_THROWS_AS(service.context.time.run(client.verify(Challenge{"projects/c", {1}}, {}), kLongestPause),
                  StatusError);
  CHECK(service.requests.size() == 1);
}

TEST_CASE("answers that are cut, too long, slow or not what they should be (T 18)") {
  GcaService service;
  GcaVerifier client = service.client();
  service.answers = {HttpResponse{200, {}, R"({"name":"projects/p)"}};
  CHECK(code_of(service.context, client.create_challenge()) == "DATA_LOSS");
  service.answers = {json_response(200, {{"name", "projects/p"}})};
  CHECK(code_of(service.context, client.create_challenge()) == "DATA_LOSS");
  service.answers = {json_response(200, {{"attestationToken", 7}})};
  CHECK_THROWS_WITH(service.context.time.run(client.verify(Challenge{"projects/c", {1}}, {}), kLongestPause),
                    ContainsSubstring("answer.attestationToken: expected a string"));
  service.answers = {HttpResponse{200, {}, std::string(std::size_t{10} << 20U, ' ')}};
  CHECK(code_of(service.context, client.create_challenge()) == "UNAVAILABLE");
}

TEST_CASE("one byte a second is not waited for (T 18)") {
  test::ManualContext context;
  const test::RawServer slow(context, [&context](asio::ip::tcp::socket socket) -> Awaitable<void> {
    co_await test::read_some_request(socket);
    for (const char c : std::string("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")) {
      co_await test::write_text(socket, std::string(1, c));
      context.time.advance(std::chrono::seconds(1));
    }
  });
  GcaVerifier client = GcaService::client_of(context, slow.url());
  CHECK(code_of(context, client.create_challenge()) == "DEADLINE_EXCEEDED");
}

TEST_CASE("a verifier that is down, or behind another TLS root (T 18)") {
  test::ManualContext context;
  GcaVerifier nobody = GcaService::client_of(context, "http://127.0.0.1:1");
  CHECK(code_of(context, nobody.create_challenge()) == "UNAVAILABLE");
  const test::TemporaryDirectory directory;
  test::make_tls_files(directory.path());
  const auto handler = [](const HttpServerRequest&) -> Awaitable<HttpResponse> { co_return HttpResponse{}; };
  net::HttpServer server(context.get_executor(), handler);
  const auto port = server.listen_tcp(
      "127.0.0.1", 0,
      net::HttpServerCertificate::load({directory.path() / "server.pem", directory.path() / "server-key.pem"}));
  GcaVerifier client = GcaService::client_of(context, "https://127.0.0.1:" + std::to_string(port));
  CHECK_THROWS_WITH(context.time.run(client.create_challenge(), kLongestPause),
                    ContainsSubstring("TLS with https://127.0.0.1"));
}

TEST_CASE("a verifier behind another TLS root is tried once") {
  test::ManualContext context;
  int connections = 0;
  const test::RawServer no_tls(context, [&](asio::ip::tcp::socket socket) -> Awaitable<void> {
    ++connections;
    co_await test::read_some_request(socket);
    co_await test::write_text(socket, "no TLS\r\n");
  });
  const std::string url = "https" + no_tls.url().substr(std::string("http").size());
  GcaVerifier client = GcaService::client_of(context, url);
  CHECK_THROWS_WITH(context.time.run(client.create_challenge(), kLongestPause),
                    ContainsSubstring("TLS with https://127.0.0.1"));
  CHECK(connections == 1);
}

TEST_CASE("an endpoint is https, or on loopback") {
  test::ManualContext context;
  for (const char* url : {"http://verifier.example", "https://v.example/path", "v.example", "ftp://v.example", ""}) {
    CAPTURE(url);
    CHECK_THROWS_AS(GcaService::client_of(context, url), base::InvalidInput);
  }
  CHECK_NOTHROW(GcaService::client_of(context, "https://v.example"));
  CHECK_NOTHROW(GcaService::client_of(context, "http://[::1]:80"));
}

TEST_CASE("project and region become parts of a path, so they are plain names") {
  test::ManualContext context;
  for (const char* bad : {"", "..", "a/b", "a b", "a\r\nX: y", "\xff"}) {
    CAPTURE(bad);
    GcaVerifier::Config config{
        .endpoint = "https://v.example", .ca_file = {}, .project_id = bad, .region = "r", .access_token = {}};
    CHECK_THROWS_WITH(GcaVerifier(context.get_executor(), config), ContainsSubstring("project: "));
    std::swap(config.project_id, config.region);
    CHECK_THROWS_WITH(GcaVerifier(context.get_executor(), config), ContainsSubstring("region: "));
  }
}

TEST_CASE("a request that no verifier takes is not sent") {
  GcaService service;
  GcaVerifier client = service.client();
  service.answers = {json_response(200, {{"attestationToken", "a.b.c"}})};
  evidence::VerifyRequest request;
  request.options.audience = std::string(evidence::kMaxVerifyRequestBytes, 'a');
  CHECK_THROWS_WITH(service.context.time.run(client.verify(Challenge{"projects/c", {1}}, request), kLongestPause),
                    ContainsSubstring("more than the 8388608 that a verifier takes"));
  CHECK(service.requests.empty());
}

TEST_CASE("a verifier that may come later is told from one that says no") {
  GcaService service;
  const auto may_pass = [&](GcaVerifier client) {
    try {
      service.context.time.run(client.check_location(), kLongestPause);
    } catch (const StatusError& error) {
      return error.may_pass();
    }
    FAIL("no error");
    return false;
  };
  const auto answered = [&](StatusCode code) {
    service.answers = {json_response(evidence::http_status_of(code), evidence::error_json(code, "x"))};
    return may_pass(service.client());
  };
  CHECK(answered(StatusCode::kUnavailable));
  CHECK(answered(StatusCode::kInternal));
  CHECK(answered(StatusCode::kDeadlineExceeded));
  CHECK_FALSE(answered(StatusCode::kPermissionDenied));
  CHECK(answered(StatusCode::kResourceExhausted));
  CHECK_FALSE(answered(StatusCode::kUnimplemented));
  service.answers = {HttpResponse{502, {}, "<html>bad gateway</html>"}};
  CHECK(may_pass(service.client()));
  service.answers = {HttpResponse{200, {}, "no JSON"}};
  CHECK_FALSE(may_pass(service.client()));
  CHECK(may_pass(GcaService::client_of(service.context, "http://127.0.0.1:1")));
  // What listens there talks no TLS.
  const std::string no_tls = "https" + service.url.substr(std::string("http").size());
  CHECK_FALSE(may_pass(GcaService::client_of(service.context, no_tls)));
}
