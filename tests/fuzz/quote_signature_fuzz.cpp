#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/bytes.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/openssl.h"
#include "evidence/quote.h"

namespace {

const base::Bytes kNonce = {1, 2, 3, 4};

/// A key of a software TPM and the only quote that it has ever signed, of PCRs 0 to 7 that hold zero.
struct Signer {
  base::EvpPkeyPtr key;
  evidence::Quote quote;

  /// SubjectPublicKeyInfo, TPMS_ATTEST; both in hexadecimal.
  Signer(std::string_view key_info, std::string_view attest) {
    const base::Bytes der = base::hex_decode(key_info, "key");
    const unsigned char* position = der.data();
    key.reset(d2i_PUBKEY(nullptr, &position, static_cast<long>(der.size())));
    quote.attest = base::hex_decode(attest, "attest");
    for (std::uint32_t pcr = 0; pcr < 8; ++pcr) quote.pcr_values[pcr] = base::Bytes(32, 0);
  }

  bool verifies(base::ByteView nonce) const {
    try {
      evidence::verify_quote(quote, *key, nonce);
      return true;
    } catch (const base::InvalidInput&) {
      return false;
    }
  }
};

Signer ecc_signer() {
  return {
      "3059301306072a8648ce3d020106082a8648ce3d03010703420004c03498c9289da3b2949542900a58df0c8f272dd5868860778347704f9e"
      "f16ad836d9a47ad4f8ad35886f6dc6b4909e853be5d330abbce9b1e218b7923272db53",
      "ff54434780180022000b455115d104ceef20f81aa57f798a43c8ecd4c23e361dab354ed03389ab9930260004010203040000000000000013"
      "000000020000000001201910230016363600000001000b03ff000000205341e6b2646979a70e57653007a1f310169421ec9bdd9f1a5648f7"
      "5ade005af1"};
}

Signer rsa_signer() {
  return {
      "30820122300d06092a864886f70d01010105000382010f003082010a028201010099e422fb36b5cbcacf0ad93dc8aad407167f29784ef20b"
      "08fa677bbb17dd5e0ad97d51a7ba3f713e9023a2db756bd0418eb2054b0193759990aca3f38622cba3bd11f9dd47c3025c1f5a15da072772"
      "3cc2233937540c5fdf2c2673a8b7fcf102c7617e38e26f9cb076f6bf830488a4d83ae51bbf79efa1e8c7b6a6842e542149e9edcfe322c9cf"
      "73ac8d83f11d4d184faa13ac5a920316b8ef273fcefbaf5956d4d3cb10fcbe79c0f172114a66a17a74a640894732e0bc265c0436b8a76318"
      "001e8b7597216f31c1c3124c99ebb8a40d845568d39d3063bfd2742dfa3b40841bc7970dcc48a5d1a5d5c632c0d5b1b3ea17df759017fce7"
      "4570a3725c7dac65010203010001",
      "ff54434780180022000b3b27b305a7b289f717f3f099bb3c9a478f7ef86fc504ef356561e43f8d8c40860004010203040000000000000067"
      "000000020000000001201910230016363600000001000b03ff000000205341e6b2646979a70e57653007a1f310169421ec9bdd9f1a5648f7"
      "5ade005af1"};
}

/// The only R that the key has ever signed with; leading zeros may stand ahead of it.
constexpr std::string_view kEccR = "93b05213d3b650d79da20d8c00af7535367dedf22c15b1fc93864d06558b4a7a";

/// SHA-256 of the only TPMT_SIGNATURE of the RSA key: PKCS #1 gives a message one signature, of one encoding.
constexpr std::string_view kRsaSignature = "f06889c70b39dc3df35605c7916f0245657dc295cd5c13ea3f7554f60395b896";

bool is_of_ecc_key(base::ByteView signature) {
  constexpr std::uint8_t kEcdsa[] = {0, 0x18, 0, 0x0b};
  if (signature.size() < 6 || !std::equal(std::begin(kEcdsa), std::end(kEcdsa), signature.begin())) return false;
  const std::size_t size = std::size_t{signature[4]} << 8U | signature[5];
  if (signature.size() < 6 + size) return false;
  const std::string r = base::hex_encode(signature.subspan(6, size));
  const std::size_t zeros = r.find_first_not_of('0');
  return zeros != std::string::npos && r.substr(zeros) == kEccR;
}

bool is_of_rsa_key(base::ByteView signature) {
  return base::hex_encode(measure::hash(measure::HashAlgorithm::kSha256, signature)) == kRsaSignature;
}

void judge(Signer& signer, base::ByteView signature, bool (*is_of_key)(base::ByteView)) {
  signer.quote.signature.assign(signature.begin(), signature.end());
  if (!signer.verifies(kNonce)) return;
  if (!is_of_key(signature)) std::abort();
  if (signer.verifies({})) std::abort();
  for (const std::size_t place : {std::size_t{0}, signer.quote.attest.size() / 2, signer.quote.attest.size() - 1}) {
    signer.quote.attest[place] ^= 1U;
    if (signer.verifies(kNonce)) std::abort();
    signer.quote.attest[place] ^= 1U;
  }
}

}  // namespace

/// The bytes are taken as the TPMT_SIGNATURE of a quote. None is accepted but the one that the key has made.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Signer ecc = ecc_signer();
  static Signer rsa = rsa_signer();
  judge(ecc, {data, size}, is_of_ecc_key);
  judge(rsa, {data, size}, is_of_rsa_key);
  return 0;
}
