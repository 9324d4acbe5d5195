#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/openssl.h"
#include "evidence/quote.h"

namespace {

constexpr std::uint8_t kMaxCoordinate = 32;

/// TPMT_SIGNATURE: ECDSA with SHA-256.
base::Bytes signature_of(base::ByteView attest, EVP_PKEY& key) {
  const base::EvpMdContextPtr context(EVP_MD_CTX_new());
  base::Bytes der(static_cast<std::size_t>(EVP_PKEY_get_size(&key)));
  std::size_t length = der.size();
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, &key) != 1 ||
      EVP_DigestSign(context.get(), der.data(), &length, attest.data(), attest.size()) != 1) {
    std::abort();
  }
  const unsigned char* position = der.data();
  ECDSA_SIG* pair = d2i_ECDSA_SIG(nullptr, &position, static_cast<long>(length));
  base::Bytes signature = {0, 0x18, 0, 0x0b};
  for (const BIGNUM* number : {ECDSA_SIG_get0_r(pair), ECDSA_SIG_get0_s(pair)}) {
    base::Bytes bytes(kMaxCoordinate);
    BN_bn2binpad(number, bytes.data(), kMaxCoordinate);
    signature.insert(signature.end(), {0, kMaxCoordinate});
    base::append(signature, bytes);
  }
  ECDSA_SIG_free(pair);
  return signature;
}

/// What PCRs hold of which nothing has been measured.
measure::PcrValues zeros(const evidence::QuoteInfo& info) {
  measure::PcrValues values;
  for (const std::uint32_t pcr : info.pcrs) values[pcr] = base::Bytes(measure::digest_size(info.bank), 0);
  return values;
}

bool verifies(const evidence::Quote& quote, const EVP_PKEY& key, base::ByteView qualifying_data) {
  try {
    evidence::verify_quote(quote, key, qualifying_data);
    return true;
  } catch (const base::InvalidInput&) {
    return false;
  }
}

void expect_refusals(evidence::Quote quote, const EVP_PKEY& key, const base::Bytes& qualifying_data) {
  base::Bytes other_data = qualifying_data;
  other_data.push_back(0);
  if (verifies(quote, key, other_data)) std::abort();
  quote.pcr_values.begin()->second[0] ^= 1U;
  if (verifies(quote, key, qualifying_data)) std::abort();
  quote.pcr_values.erase(quote.pcr_values.begin());
  if (verifies(quote, key, qualifying_data)) std::abort();
}

}  // namespace

/// A quote that the key has signed, whatever is in it: it verifies when it is one and its PCR digest is that of the
/// values, for the qualifying data and the bank that it has, and for no others.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const base::EvpPkeyPtr key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  evidence::Quote quote{.pcr_values = {}, .attest = {data, data + size}, .signature = signature_of({data, size}, *key)};
  evidence::QuoteInfo info;
  try {
    info = evidence::parse_quote_info(quote.attest);
  } catch (const base::InvalidInput&) {
    if (verifies(quote, *key, {})) std::abort();
    return 0;
  }
  quote.bank = info.bank;
  quote.pcr_values = zeros(info);
  base::Bytes all;
  for (const auto& [pcr, value] : quote.pcr_values) base::append(all, value);
  const bool fits = !info.pcrs.empty() && info.pcr_digest == measure::hash(measure::HashAlgorithm::kSha256, all);
  if (verifies(quote, *key, info.qualifying_data) != fits) std::abort();
  if (fits) expect_refusals(quote, *key, info.qualifying_data);
  return 0;
}
