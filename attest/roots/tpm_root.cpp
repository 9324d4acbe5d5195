#include "attest/roots/tpm_root.h"

#include <map>
#include <string>

#include "base/encoding.h"
#include "base/error.h"
#include "evidence/quote.h"
#include "measure/cel.h"

namespace attest {
namespace {

/// Somebody may extend a PCR between a quote and the reading of the values; that settles or it does not.
constexpr int kMaxTries = 3;

bool fits(const evidence::QuoteInfo& info, measure::HashAlgorithm signing_hash, const measure::PcrValues& values) {
  base::Bytes all;
  for (const auto& [pcr, value] : values) base::append(all, value);
  return info.pcr_digest == measure::hash(signing_hash, all);
}

}  // namespace

/// Used by jobs of the TPM's thread only.
struct TpmRoot::OnTpmThread {
  explicit OnTpmThread(AttestationKey k) : key(std::move(k)) {}

  evidence::Quote quote(tpm::Tpm& tpm, const tpm::PcrBank& bank, const base::Bytes& nonce,
                        const Endorsements& expected) {
    for (int attempt = 0; attempt < kMaxTries; ++attempt) {
      tpm::QuoteBlob blob = tpm.quote(key.key, nonce, bank);
      const evidence::QuoteInfo info = evidence::parse_quote_info(blob.attest);
      measure::PcrValues& values = values_by_bank[bank.algorithm];
      // Both attestation key templates sign with SHA-256, which is also the hash of the PCR digest.
      bool same = !values.empty() && fits(info, measure::HashAlgorithm::kSha256, values);
      if (!same) {
        values = tpm.read_pcrs(bank.algorithm, bank.pcrs);
        same = fits(info, measure::HashAlgorithm::kSha256, values);
      }
      if (!same) continue;
      expect_launch_pcr(bank.algorithm, values, expected);
      evidence::Quote result{bank.algorithm, values, std::move(blob.attest), std::move(blob.signature)};
      check_once(result, nonce);
      return result;
    }
    throw base::Error("PCRs of bank " + std::string(name_of(bank.algorithm)) + " keep changing while they are quoted");
  }

  static void expect_launch_pcr(measure::HashAlgorithm bank, const measure::PcrValues& values,
                                const Endorsements& expected) {
    const measure::Digest* wanted = expected.launch_pcr.find(bank);
    if (wanted == nullptr) return;
    const auto found = values.find(measure::kLaunchPcr);
    if (found == values.end() || found->second != wanted->to_bytes()) {
      throw base::Error("PCR 13 of bank " + std::string(name_of(bank)) +
                        " is no longer what the launch log says: somebody has extended it since the launch");
    }
  }

  /// The whole check that a verifier makes, on each bank's first quote: it shows a broken key or TPM here, where the
  /// cause is known. Repeating it on every quote would only cost time.
  void check_once(const evidence::Quote& quote, const base::Bytes& nonce) {
    if (checked[quote.bank]) return;
    evidence::verify_quote(quote, *X509_get0_pubkey(key.certificate.get()), nonce);
    checked[quote.bank] = true;
  }

  AttestationKey key;
  std::vector<tpm::PcrBank> banks;
  std::map<measure::HashAlgorithm, measure::PcrValues> values_by_bank;
  std::map<measure::HashAlgorithm, bool> checked;
};

TpmRoot::TpmRoot(tpm::TpmWorker& worker, AttestationKey key, Endorsements endorsements)
    : worker_(worker),
      endorsements_(std::make_shared<const Endorsements>(std::move(endorsements))),
      certificate_(base::certificate_der(*key.certificate)),
      on_tpm_thread_(std::make_shared<OnTpmThread>(std::move(key))) {}

TpmRoot::~TpmRoot() { worker_.release(std::move(on_tpm_thread_)); }

base::Awaitable<evidence::TpmEvidence> TpmRoot::evidence(base::Bytes nonce) {
  if (nonce.empty()) throw base::InvalidInput("challenge", "nonce is empty");
  evidence::TpmEvidence evidence;
  auto quote_all = [state = on_tpm_thread_, expected = endorsements_, nonce = std::move(nonce)](tpm::Tpm& tpm) {
    if (state->banks.empty()) state->banks = tpm.pcr_banks();
    std::vector<evidence::Quote> quotes;
    for (const tpm::PcrBank& bank : state->banks) quotes.push_back(state->quote(tpm, bank, nonce, *expected));
    return quotes;
  };
  evidence.quotes = co_await worker_.run(std::move(quote_all));
  evidence.boot_log = endorsements_->boot_log;
  evidence.launch_log = endorsements_->launch_log;
  evidence.ak_certificate = certificate_;
  evidence.ak_chain = endorsements_->ak_chain;
  co_return evidence;
}

}  // namespace attest
