#include "csctl/input/tee_socket.h"

#include <utility>

#include "base/encoding.h"
#include "base/json.h"
#include "csctl/input/local_service.h"

namespace csctl {

using base::Json;

std::string TeeSocket::ask(std::string method, const std::string& target, std::string body) const {
  return ask_local(path_, "the launcher", std::move(method), target, std::move(body));
}

std::string TeeSocket::token() const { return ask("GET", "/v1/token", ""); }

std::string TeeSocket::evidence(base::ByteView challenge) const {
  return ask("POST", "/v1/evidence", Json{{"challenge", base::base64_encode(challenge)}}.dump());
}

}  // namespace csctl
