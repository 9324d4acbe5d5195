#include "verifier/appraisal/tpm.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "base/error.h"
#include "evidence/quote.h"
#include "evidence/refusal.h"
#include "measure/boot_log.h"
#include "measure/cel.h"
#include "verifier/appraisal/technology.h"

namespace verifier {
namespace {

using base::Bytes;
using base::ByteView;
using base::InvalidInput;
using evidence::Quote;
using evidence::TpmEvidence;
using measure::BootEvent;
using measure::BootLog;
using measure::HashAlgorithm;
using measure::PcrValues;

constexpr std::uint32_t kLastBootPcr = 9;  // firmware and boot loader measure into PCR 0-9

std::string quote_of(HashAlgorithm bank) { return "quote of bank " + std::string(measure::name_of(bank)); }

bool is_measured(const BootEvent& event) { return event.type != measure::boot_event::kNoAction; }

evidence::InstanceIdentity identity_of(const X509& certificate) {
  const auto identity = evidence::instance_identity_of(certificate);
  // Google's certificates say so of every machine but those of its own test clouds.
  if (!identity || !identity->is_production) {
    throw InvalidInput("AK certificate", "does not name a production machine");
  }
  return *identity;
}

const EVP_PKEY& key_of(const X509& certificate) {
  const EVP_PKEY* key = X509_get0_pubkey(&certificate);
  if (key == nullptr) throw InvalidInput("AK certificate", "its key can't be read");
  return *key;
}

/// The signer's qualified name is a hash over the key's whole public area, attributes included. It can be made up by
/// whoever has an unrestricted key, so alone it proves nothing: that the key is a restricted one is what the authority
/// vouches for with the certificate. But a TPM writes the true name, so this catches a certificate that was given to an
/// unrestricted key, or to one outside the endorsement hierarchy, by mistake.
void expect_restricted_signer(const Quote& quote, const EVP_PKEY& key) {
  const Bytes expected = evidence::qualified_name_in_endorsement(evidence::attestation_key_area(key));
  if (evidence::parse_quote_info(quote.attest).qualified_signer != expected) {
    throw InvalidInput("quote", "the signer is not a restricted attestation key of the usual template");
  }
}

std::set<std::uint32_t> required_pcrs(const BootLog& log) {
  std::set<std::uint32_t> pcrs = {measure::kLaunchPcr};
  for (std::uint32_t pcr = 0; pcr <= kLastBootPcr; ++pcr) pcrs.insert(pcr);
  for (const BootEvent& event : log.events) {
    if (is_measured(event)) pcrs.insert(event.pcr);
  }
  return pcrs;
}

void expect_coverage(const Quote& quote, const std::set<std::uint32_t>& required) {
  for (const std::uint32_t pcr : required) {
    if (!quote.pcr_values.contains(pcr)) throw InvalidInput("quote", "does not cover PCR " + std::to_string(pcr));
  }
}

/// Calls `check` and names the quote in what it throws.
template <typename Check>
void for_quote(const Quote& quote, Check check) {
  try {
    check();
  } catch (const InvalidInput& error) {
    throw InvalidInput(quote_of(quote.bank), error.what());
  }
}

void verify_quotes(const TpmEvidence& evidence, const EVP_PKEY& key, ByteView nonce, const BootLog& log) {
  if (evidence.quotes.empty()) throw InvalidInput("evidence", "holds no quote");
  const std::set<std::uint32_t> required = required_pcrs(log);
  std::set<HashAlgorithm> banks;
  for (const Quote& quote : evidence.quotes) {
    for_quote(quote, [&] {
      if (!banks.insert(quote.bank).second) throw InvalidInput("quote", "stands twice");
      evidence::verify_quote(quote, key, nonce);
      expect_restricted_signer(quote, key);
      expect_coverage(quote, required);
    });
  }
  if (!banks.contains(HashAlgorithm::kSha256)) throw InvalidInput("evidence", "holds no quote of the sha256 bank");
}

bool mentions(const BootLog& log, HashAlgorithm bank) {
  return std::ranges::any_of(
      log.events, [&](const BootEvent& event) { return is_measured(event) && event.digests.contains(bank); });
}

/// A register of PCR 0-9 that the log does not speak of must be untouched: otherwise leaving out all its events would
/// hide them.
void expect_replay(const BootLog& log, const Quote& quote) {
  const PcrValues replayed = log.replay(quote.bank);
  for (const auto& [pcr, value] : quote.pcr_values) {
    const auto expected = replayed.find(pcr);
    if (expected != replayed.end() && expected->second != value) {
      throw InvalidInput("boot event log", "does not replay to PCR " + std::to_string(pcr));
    }
    if (expected == replayed.end() && pcr <= kLastBootPcr && value != Bytes(value.size(), 0)) {
      throw InvalidInput("boot event log", "does not explain PCR " + std::to_string(pcr));
    }
  }
}

/// The SHA-2 banks in which the log replays.
std::map<HashAlgorithm, PcrValues> replay_boot(const BootLog& log, const TpmEvidence& evidence) {
  std::map<HashAlgorithm, PcrValues> replayed;
  for (const Quote& quote : evidence.quotes) {
    if (!mentions(log, quote.bank)) continue;
    for_quote(quote, [&] { expect_replay(log, quote); });
    if (quote.bank != HashAlgorithm::kSha1) replayed.emplace(quote.bank, quote.pcr_values);
  }
  // A bank that firmware left alone is the machine's to fill with what it likes; SHA-256 is the one that firmware
  // fills.
  if (!replayed.contains(HashAlgorithm::kSha256)) throw InvalidInput("boot event log", "has no sha256 digests");
  return replayed;
}

TpmMachine appraise_boot(const TpmEvidence& evidence, const BootLog& log) {
  TpmMachine machine;
  machine.pcrs = replay_boot(log, evidence);
  for (const auto& [bank, values] : machine.pcrs) {
    machine.boot_manager_pcrs.emplace(bank, extract_boot_manager(log, bank).pcr);
  }
  machine.boot = extract_boot_state(log, HashAlgorithm::kSha256);
  return machine;
}

BootLog decode_boot(const TpmEvidence& evidence) {
  BootLog log = measure::decode_boot_log(evidence.boot_log);
  if (std::ranges::none_of(log.events, is_measured)) throw InvalidInput("boot event log", "is empty");
  return log;
}

std::string hardware_model_of(const Platform& platform, const BootLog& log) {
  if (platform.hwmodel) return *platform.hwmodel;
  return std::string(hardware_model(extract_technology(log, HashAlgorithm::kSha256)));
}

LaunchState appraise_launch(const TpmEvidence& evidence) {
  const auto records = measure::decode_cel(evidence.launch_log);
  LaunchState state = parse_launch_log(records);
  for (const Quote& quote : evidence.quotes) {
    for_quote(quote, [&] {
      if (measure::replay_cel(records, quote.bank).to_bytes() != quote.pcr_values.at(measure::kLaunchPcr)) {
        throw InvalidInput("launch event log", "does not replay to PCR 13");
      }
    });
  }
  return state;
}

}  // namespace

Appraisal appraise_tpm(const TpmEvidence& evidence, ByteView nonce, const TrustAnchors& anchors, base::WallTime now,
                       Scope scope) {
  using evidence::Reason;
  using evidence::refuse_as;
  Appraisal appraisal;
  const VerifiedCertificate verified = refuse_as(
      Reason::kInvalidAkCertificate, [&] { return anchors.verify(evidence.ak_certificate, evidence.ak_chain, now); });
  refuse_as(Reason::kInvalidAkCertificate, [&] { appraisal.identity = identity_of(*verified.certificate); });
  appraisal.attestation_key_sha256 = public_key_sha256(*verified.certificate);
  const BootLog log = refuse_as(Reason::kInvalidBootLog, [&] { return decode_boot(evidence); });
  refuse_as(Reason::kInvalidQuote, [&] { verify_quotes(evidence, key_of(*verified.certificate), nonce, log); });
  refuse_as(Reason::kInvalidBootLog, [&] {
    TpmMachine machine = appraise_boot(evidence, log);
    appraisal.secure_boot = machine.boot.secure_boot;
    appraisal.machine = std::move(machine);
  });
  appraisal.hwmodel = refuse_as(Reason::kInvalidBootLog, [&] { return hardware_model_of(verified.platform, log); });
  if (scope == Scope::kMachine && evidence.launch_log.empty()) return appraisal;
  appraisal.launch = refuse_as(Reason::kInvalidLaunchLog, [&] { return appraise_launch(evidence); });
  return appraisal;
}

}  // namespace verifier
