#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/error.h"
#include "net/http.h"

namespace oci {

/// A registry said no, or something that is not what the protocol demands.
class RegistryError : public base::Error {
 public:
  RegistryError(const std::string& message, unsigned status, base::Transience transience = base::Transience::kPermanent,
                std::optional<std::chrono::seconds> retry_after = {})
      : Error(message), status_(status) {
    set_transience(transience, retry_after);
  }

  /// HTTP status, 0 when there is none to blame.
  unsigned status() const noexcept { return status_; }

 private:
  unsigned status_;
};

/// A refusal's body may be longer than what was asked for; as much of it is read.
inline constexpr std::size_t kMaxRefusalBytes = std::size_t{64} << 10U;

/// What an answer that is none of 2xx means for `subject`, with the error code of the distribution API (such as
/// MANIFEST_UNKNOWN) when the body has one that is fit to be shown.
RegistryError refusal_error(const net::HttpResponse& response, const std::string& subject);

}  // namespace oci
