#include "verifier/appraisal/tpm.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/encoding.h"
#include "base/error.h"
#include "evidence/quote.h"
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

base::X509Ptr read_certificate(const TpmEvidence& evidence) {
  base::X509Ptr certificate = parse_ak_certificate(evidence.ak_certificate);
  if (X509_get0_pubkey(certificate.get()) == nullptr) throw InvalidInput("AK certificate", "its key can't be read");
  return certificate;
}

const EVP_PKEY& key_of(const X509& certificate) { return *X509_get0_pubkey(&certificate); }

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

void verify(const Quote& quote, const EVP_PKEY& key, ByteView nonce, const std::set<std::uint32_t>& required) {
  evidence::verify_quote(quote, key, nonce);
  expect_restricted_signer(quote, key);
  expect_coverage(quote, required);
}

/// Each of them by itself, and all of them together.
void examine_quotes(Examination& examination, const TpmEvidence& evidence, const EVP_PKEY& key, ByteView nonce,
                    const BootLog& log) {
  const std::set<std::uint32_t> required = required_pcrs(log);
  std::set<HashAlgorithm> banks;
  for (const Quote& quote : evidence.quotes) {
    examination.make(Check::kQuote, measure::name_of(quote.bank), [&] {
      for_quote(quote, [&] {
        if (!banks.insert(quote.bank).second) throw InvalidInput("quote", "stands twice");
        verify(quote, key, nonce, required);
      });
    });
  }
  examination.make(Check::kQuotedBanks, [&] {
    if (evidence.quotes.empty()) throw InvalidInput("evidence", "holds no quote");
    if (!banks.contains(HashAlgorithm::kSha256)) throw InvalidInput("evidence", "holds no quote of the sha256 bank");
  });
}

bool mentions(const BootLog& log, HashAlgorithm bank) {
  return std::ranges::any_of(
      log.events, [&](const BootEvent& event) { return is_measured(event) && event.digests.contains(bank); });
}

std::string made_and_quoted(ByteView made, ByteView quoted) {
  return ": makes " + base::hex_encode(made) + ", quoted was " + base::hex_encode(quoted);
}

/// A register of PCR 0-9 that the log does not speak of must be untouched: otherwise leaving out all its events would
/// hide them.
void expect_replay(const BootLog& log, const Quote& quote) {
  const PcrValues replayed = log.replay(quote.bank);
  for (const auto& [pcr, value] : quote.pcr_values) {
    const auto expected = replayed.find(pcr);
    if (expected != replayed.end() && expected->second != value) {
      throw InvalidInput("boot event log",
                         "does not replay to PCR " + std::to_string(pcr) + made_and_quoted(expected->second, value));
    }
    if (expected == replayed.end() && pcr <= kLastBootPcr && value != Bytes(value.size(), 0)) {
      throw InvalidInput("boot event log", "does not explain PCR " + std::to_string(pcr) + ", which was quoted as " +
                                               base::hex_encode(value));
    }
  }
}

/// The quoted registers in the SHA-2 banks in which the log replays.
std::map<HashAlgorithm, PcrValues> examine_replay(Examination& examination, const TpmEvidence& evidence,
                                                  const BootLog& log) {
  std::map<HashAlgorithm, PcrValues> replayed;
  for (const Quote& quote : evidence.quotes) {
    if (!mentions(log, quote.bank)) continue;
    const bool replays = examination.make(Check::kBootReplay, measure::name_of(quote.bank),
                                          [&] { for_quote(quote, [&] { expect_replay(log, quote); }); });
    if (replays && quote.bank != HashAlgorithm::kSha1) replayed.emplace(quote.bank, quote.pcr_values);
  }
  // A bank that firmware left alone is the machine's to fill with what it likes; SHA-256 is the one that firmware
  // fills.
  examination.make(Check::kReplayedBanks, [&] {
    if (!mentions(log, HashAlgorithm::kSha256)) throw InvalidInput("boot event log", "has no sha256 digests");
  });
  return replayed;
}

TpmMachine machine_of(std::map<HashAlgorithm, PcrValues> pcrs, const BootLog& log) {
  TpmMachine machine;
  machine.pcrs = std::move(pcrs);
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

/// Nothing when it does not hold.
std::optional<LaunchState> examine_launch(Examination& examination, const TpmEvidence& evidence) {
  std::vector<measure::CelRecord> records;
  std::optional<LaunchState> state = examination.make(Check::kLaunchLog, [&] {
    records = measure::decode_cel(evidence.launch_log);
    return parse_launch_log(records);
  });
  if (!state) return state;
  bool replays = true;
  for (const Quote& quote : evidence.quotes) {
    replays &= examination.make(Check::kLaunchReplay, measure::name_of(quote.bank), [&] {
      for_quote(quote, [&] {
        const Bytes made = measure::replay_cel(records, quote.bank).to_bytes();
        const auto quoted = quote.pcr_values.find(measure::kLaunchPcr);
        if (quoted == quote.pcr_values.end()) throw InvalidInput("quote", "does not cover PCR 13");
        if (made != quoted->second) {
          throw InvalidInput("launch event log", "does not replay to PCR 13" + made_and_quoted(made, quoted->second));
        }
      });
    });
  }
  return replays ? state : std::nullopt;
}

/// What is made of the boot log. Nothing when it does not hold.
std::optional<TpmMachine> examine_boot(Examination& examination, const TpmEvidence& evidence, const BootLog& log) {
  auto pcrs = examine_replay(examination, evidence, log);
  auto machine = examination.make(Check::kBootState, [&] { return machine_of(std::move(pcrs), log); });
  return machine && machine->pcrs.contains(HashAlgorithm::kSha256) ? std::move(machine) : std::nullopt;
}

}  // namespace

std::optional<Appraisal> examine_tpm(Examination& examination, const TpmEvidence& evidence, ByteView nonce,
                                     const TrustAnchors& anchors, base::WallTime now, Scope scope) {
  constexpr auto kUnread = "the boot event log can't be read";
  Appraisal appraisal;
  const auto certificate = examination.make(Check::kAkCertificate, [&] { return read_certificate(evidence); });
  std::optional<Platform> platform;
  if (certificate) {
    platform = examination.make(Check::kAkChain, [&] { return anchors.verify(**certificate, evidence.ak_chain, now); });
    const auto identity = examination.make(Check::kInstance, [&] { return identity_of(**certificate); });
    if (identity) appraisal.identity = *identity;
    appraisal.attestation_key_sha256 = public_key_sha256(**certificate);
  }
  auto log = examination.make(Check::kBootLog, [&] { return decode_boot(evidence); });
  if (certificate && log) {
    examine_quotes(examination, evidence, key_of(**certificate), nonce, *log);
  } else {
    examination.leave_out(Check::kQuote, certificate ? kUnread : "the AK certificate can't be read");
  }
  std::optional<TpmMachine> machine;
  if (log) {
    machine = examine_boot(examination, evidence, *log);
  } else {
    examination.leave_out(Check::kBootReplay, kUnread);
  }
  if (platform && log) {
    const auto hwmodel = examination.make(Check::kHardwareModel, [&] { return hardware_model_of(*platform, *log); });
    if (hwmodel) appraisal.hwmodel = *hwmodel;
  }
  if (scope == Scope::kMachine && evidence.launch_log.empty()) {
    examination.leave_out(Check::kLaunchLog, "the machine has launched nothing");
  } else {
    appraisal.launch = examine_launch(examination, evidence);
  }
  if (examination.has_failed() || !machine) return std::nullopt;
  machine->log = std::move(*log);
  appraisal.secure_boot = machine->boot.secure_boot;
  appraisal.machine = std::move(*machine);
  return appraisal;
}

TpmMachine unproven_machine(BootLog log) {
  constexpr std::uint32_t kLastOfSystem = 16;  // behind it are those of dynamic launch, which begin with ones
  std::map<HashAlgorithm, PcrValues> pcrs;
  for (const HashAlgorithm bank : measure::kHashAlgorithms) {
    if (bank == HashAlgorithm::kSha1 || !mentions(log, bank)) continue;
    PcrValues values = log.replay(bank);
    for (std::uint32_t pcr = 0; pcr < kLastOfSystem; ++pcr) values.try_emplace(pcr, measure::digest_size(bank), 0);
    pcrs.emplace(bank, std::move(values));
  }
  if (!pcrs.contains(HashAlgorithm::kSha256)) throw InvalidInput("boot event log", "has no sha256 digests");
  TpmMachine machine = machine_of(std::move(pcrs), log);
  machine.log = std::move(log);
  return machine;
}

}  // namespace verifier
