#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <string>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "base/bytes.h"
#include "base/json.h"
#include "teeserver/endpoints/evidence.h"

namespace {

base::Awaitable<evidence::TpmEvidence> some_evidence(base::Bytes) {
  evidence::TpmEvidence evidence;
  evidence.launch_log = {1};
  co_return evidence;
}

/// What stands ahead of the next line feed, which is taken as well.
std::string take_line(std::string& text) {
  std::string line = text.substr(0, text.find('\n'));
  text.erase(0, line.size() + 1);
  return line;
}

}  // namespace

/// A query, a field mask of the header and a body, a line each but for the last: an answer is a document or says what
/// is wrong.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string input(base::text_of({data, size}));
  net::HttpServerRequest request;
  request.method = "POST";
  request.query = take_line(input);
  request.headers = {{"X-Goog-FieldMask", take_line(input)}};
  request.body = std::move(input);
  boost::asio::io_context context;
  attest::Turns turns(context.get_executor(), {});
  const teeserver::Endpoint endpoint = teeserver::evidence_endpoint(some_evidence, turns);
  net::HttpResponse response;
  asio::co_spawn(context, endpoint.methods.at("POST")(request),
                 [&](const std::exception_ptr& failure, net::HttpResponse answer) {
                   if (failure) std::abort();
                   response = std::move(answer);
                 });
  context.run();
  if (response.status == 200 ? !base::Json::parse(response.body).is_object()
                             : response.status != 400 || response.body.empty()) {
    std::abort();
  }
  return 0;
}
