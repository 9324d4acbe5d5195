#pragma once

#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/openssl.h"

namespace verifier {

/// The authorities whose word on attestation keys counts. They come from the configuration only, never from evidence.
class TrustAnchors {
 public:
  /// Any certificate of `anchors` is one, whether it signed itself or not. Throws Error when there is none.
  explicit TrustAnchors(const std::vector<base::X509Ptr>& anchors);

  /// The attestation key certificate, if its chain ends at an anchor and holds at `now`. Any extended key usage will
  /// do; a critical extension that is not understood will not. Throws InvalidInput("AK certificate") with the reason.
  base::X509Ptr verify(base::ByteView leaf, const std::vector<base::Bytes>& intermediates, base::WallTime now) const;

 private:
  std::unique_ptr<X509_STORE, base::OpensslDeleter<X509_STORE_free>> store_;
};

}  // namespace verifier
