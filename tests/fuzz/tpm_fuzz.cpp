#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <utility>
#include <vector>

#include <tss2/tss2_tcti.h>

#include "base/bytes.h"
#include "measure/digest.h"
#include "tpm/pcr.h"
#include "tpm/tpm.h"

namespace {

constexpr std::uint8_t kLaunchPcr = 13;
constexpr std::size_t kLengthSize = 2;   // of a piece of the input
constexpr std::size_t kSizeOffset = 2;   // of the response's size, u32 big-endian, behind the tag
constexpr std::size_t kHeaderSize = 10;  // tag, size, response code
constexpr std::uint8_t kSizesAsTheyAre = 0x80;
constexpr std::uint32_t kNvIndex = 0x01c10003;
constexpr std::size_t kMaxNvBytes = UINT16_MAX;
constexpr std::size_t kMaxPublicArea = 1024;  // of a TPMT_PUBLIC: the longest has an RSA key of 4096 bits

void expect(bool holds) {
  if (!holds) std::abort();
}

/// A TPM that answers each command with the next piece of the input: u16 length, big-endian, and that many bytes. When
/// there is none left it has gone.
class Transport {
 public:
  Transport(base::ByteView input, bool mends_sizes) : left_(input), mends_sizes_(mends_sizes) {
    functions_.version = 1;
    functions_.transmit = [](TSS2_TCTI_CONTEXT*, std::size_t size, const std::uint8_t* command) -> TSS2_RC {
      return size < kHeaderSize || command == nullptr ? TSS2_TCTI_RC_BAD_VALUE : TSS2_RC_SUCCESS;
    };
    functions_.receive = [](TSS2_TCTI_CONTEXT* context, std::size_t* size, std::uint8_t* response, std::int32_t) {
      return reinterpret_cast<Transport*>(context)->receive(size, response);
    };
  }

  TSS2_TCTI_CONTEXT& get() { return *reinterpret_cast<TSS2_TCTI_CONTEXT*>(&functions_); }

 private:
  /// Without a place for the response, says how long it is.
  TSS2_RC receive(std::size_t* size, std::uint8_t* response) {
    if (left_.size() < kLengthSize) return TSS2_TCTI_RC_IO_ERROR;
    const std::size_t wanted = std::size_t{left_[0]} << 8U | left_[1];
    const base::ByteView rest = left_.subspan(kLengthSize);
    const base::ByteView piece = rest.first(std::min(wanted, rest.size()));
    const std::size_t room = std::exchange(*size, piece.size());
    if (response == nullptr) return TSS2_RC_SUCCESS;
    if (piece.size() > room) return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
    left_ = rest.subspan(piece.size());
    std::copy(piece.begin(), piece.end(), response);
    if (!mends_sizes_ || piece.size() < kHeaderSize) return TSS2_RC_SUCCESS;
    for (std::size_t i = 0; i < 4; ++i) {
      response[kSizeOffset + i] = static_cast<std::uint8_t>(piece.size() >> (8 * (3 - i)));
    }
    return TSS2_RC_SUCCESS;
  }

  TSS2_TCTI_CONTEXT_COMMON_V1 functions_{};  // first: its address is that of the transport
  base::ByteView left_;
  bool mends_sizes_;
};

void read_banks(tpm::Tpm& tpm) {
  const std::vector<tpm::PcrBank> banks = tpm.pcr_banks();
  const auto not_ascending = [](const auto& a, const auto& b) { return a >= b; };
  const auto same_order = [](const tpm::PcrBank& a, const tpm::PcrBank& b) { return a.algorithm >= b.algorithm; };
  expect(std::adjacent_find(banks.begin(), banks.end(), same_order) == banks.end());
  for (const tpm::PcrBank& bank : banks) {
    expect(!bank.pcrs.empty() && bank.pcrs.back() < 32);
    expect(std::adjacent_find(bank.pcrs.begin(), bank.pcrs.end(), not_ascending) == bank.pcrs.end());
  }
}

void read_register(tpm::Tpm& tpm) {
  tpm::Pcr pcr(tpm, kLaunchPcr);
  (void)pcr.read();
}

void read_values(tpm::Tpm& tpm) {
  std::vector<std::uint32_t> pcrs(24);
  std::iota(pcrs.begin(), pcrs.end(), 0U);
  const measure::PcrValues values = tpm.read_pcrs(measure::HashAlgorithm::kSha256, pcrs);
  expect(values.size() == pcrs.size());
  for (const auto& [pcr, value] : values) expect(pcr < pcrs.size() && value.size() == 32);
}

void extend(tpm::Tpm& tpm) { tpm.extend(kLaunchPcr, {measure::Digest::zero(measure::HashAlgorithm::kSha256)}); }

void read_nv(tpm::Tpm& tpm) {
  const auto content = tpm.read_nv(kNvIndex);
  if (content) expect(content->size() <= kMaxNvBytes);
}

/// The template of an attestation key: ECC P-256, restricted, ECDSA with SHA-256.
base::Bytes key_template() {
  base::Bytes area = {0, 0x23, 0, 0x0b, 0, 0x05, 0, 0x72, 0, 0, 0, 0x10, 0, 0x18, 0, 0x0b, 0, 0x03, 0, 0x10};
  for (int coordinate = 0; coordinate < 2; ++coordinate) {
    area.insert(area.end(), {0, 32});
    area.insert(area.end(), 32, 0);
  }
  return area;
}

void quote(tpm::Tpm& tpm) {
  const tpm::TpmKey key = tpm.create_endorsement_primary(key_template());
  expect(!key.public_area().empty() && key.public_area().size() <= kMaxPublicArea);
  (void)tpm.quote(key, base::Bytes(32, 7), {measure::HashAlgorithm::kSha256, {0, 13, 23}});
}

void read_lockout(tpm::Tpm& tpm) { (void)tpm.lockout_state(); }
void set_lockout(tpm::Tpm& tpm) { tpm.set_lockout_parameters(32, 7200, 86400); }
void start(tpm::Tpm& tpm) { tpm.startup(); }
void stop(tpm::Tpm& tpm) { tpm.shutdown(); }
void write_nv(tpm::Tpm& tpm) { tpm.write_platform_nv(kNvIndex, base::Bytes(1500, 1)); }

constexpr auto kUses = {read_banks,   read_register, read_values, extend, read_nv, quote,
                        read_lockout, set_lockout,   start,       stop,   write_nv};

}  // namespace

/// The first byte says what the TPM is used for, and whether its answers' own sizes are mended.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::uint8_t choice = data[0];
  Transport transport({data + 1, size - 1}, (choice & kSizesAsTheyAre) == 0);
  try {
    tpm::Tpm tpm = tpm::Tpm::over(transport.get());
    kUses.begin()[(choice & ~kSizesAsTheyAre) % kUses.size()](tpm);
  } catch (const tpm::TpmError&) {
  }
  return 0;
}
