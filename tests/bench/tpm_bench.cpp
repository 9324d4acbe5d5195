// What measuring and quoting cost beside the bare TPM commands: the same digests, key and PCRs on the same TPM, in
// turns.

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_tctildr.h>

#include "attest/roots/attestation_key.h"
#include "attest/roots/tpm_root.h"
#include "base/file.h"
#include "base/json.h"
#include "measure/boot_log.h"
#include "measure/launch_log.h"
#include "tpm/pcr.h"
#include "tpm/tpm_worker.h"
#include "vtpm/provision.h"

namespace {

using base::Bytes;
using tpm::Tpm;
using Microseconds = std::chrono::duration<double, std::micro>;

constexpr std::size_t kNonceBytes = 32;

struct Options {
  std::string tcti;
  std::filesystem::path boot_log;
  std::string key = "ecc";
  int rounds = 5;
  int count = 200;
};

/// How long each of many runs took.
class Samples {
 public:
  void time(const std::function<void()>& work) {
    const auto began = std::chrono::steady_clock::now();
    work();
    microseconds_.push_back(Microseconds(std::chrono::steady_clock::now() - began).count());
  }

  base::Json summary() {
    std::ranges::sort(microseconds_);
    return {{"count", microseconds_.size()}, {"p50_us", quantile(0.5)}, {"p99_us", quantile(0.99)}};
  }

 private:
  double quantile(double share) const {
    return microseconds_.at(static_cast<std::size_t>(share * static_cast<double>(microseconds_.size() - 1)));
  }

  std::vector<double> microseconds_;
};

void check(TSS2_RC code, const char* command) {
  if (code != TSS2_RC_SUCCESS) throw std::runtime_error(std::string(command) + " failed with " + std::to_string(code));
}

/// ESYS with nothing around it.
class BareTpm {
 public:
  explicit BareTpm(const std::string& tcti) {
    check(Tss2_TctiLdr_Initialize(tcti.c_str(), &tcti_), "opening the TPM");
    check(Esys_Initialize(&esys_, tcti_, nullptr), "opening ESYS");
  }
  BareTpm(const BareTpm&) = delete;
  BareTpm& operator=(const BareTpm&) = delete;
  ~BareTpm() {
    if (key_ != ESYS_TR_NONE) Esys_FlushContext(esys_, key_);
    Esys_Finalize(&esys_);
    Tss2_TctiLdr_Finalize(&tcti_);
  }

  void extend(const TPML_DIGEST_VALUES& digests) {
    check(Esys_PCR_Extend(esys_, ESYS_TR_PCR0 + measure::kLaunchPcr, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                          &digests),
          "TPM2_PCR_Extend");
  }

  void create_key(base::ByteView template_area) {
    TPM2B_PUBLIC in_public{};
    std::size_t offset = 0;
    check(Tss2_MU_TPMT_PUBLIC_Unmarshal(template_area.data(), template_area.size(), &offset, &in_public.publicArea),
          "reading the key template");
    const TPM2B_SENSITIVE_CREATE no_sensitive{};
    const TPM2B_DATA no_outside_info{};
    const TPML_PCR_SELECTION no_pcrs{};
    check(Esys_CreatePrimary(esys_, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &no_sensitive,
                             &in_public, &no_outside_info, &no_pcrs, &key_, nullptr, nullptr, nullptr, nullptr),
          "TPM2_CreatePrimary");
  }

  void quote(const TPM2B_DATA& nonce, const TPML_PCR_SELECTION& pcrs) {
    const TPMT_SIG_SCHEME scheme_of_key{.scheme = TPM2_ALG_NULL, .details = {}};
    TPM2B_ATTEST* attest = nullptr;
    TPMT_SIGNATURE* signature = nullptr;
    check(Esys_Quote(esys_, key_, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &nonce, &scheme_of_key, &pcrs, &attest,
                     &signature),
          "TPM2_Quote");
    Esys_Free(attest);
    Esys_Free(signature);
  }

 private:
  TSS2_TCTI_CONTEXT* tcti_ = nullptr;
  ESYS_CONTEXT* esys_ = nullptr;
  ESYS_TR key_ = ESYS_TR_NONE;
};

std::vector<std::string> bank_names(const std::vector<tpm::PcrBank>& banks) {
  std::vector<std::string> names;
  for (const tpm::PcrBank& bank : banks) names.emplace_back(name_of(bank.algorithm));
  return names;
}

measure::Event environment_variable(int number) {
  return measure::Event::text(measure::EventType::kEnvVar,
                              "BENCH_VARIABLE_" + std::to_string(number) + "=the usual value of a variable");
}

/// The digests that the launch log makes of an event, as the TPM takes them.
TPML_DIGEST_VALUES digests_of(const measure::Event& event, const std::vector<tpm::PcrBank>& banks) {
  TPML_DIGEST_VALUES values{};
  const Bytes content = measure::encode_content(event);
  for (const tpm::PcrBank& bank : banks) {
    TPMT_HA& value = values.digests[values.count++];
    value.hashAlg = static_cast<TPMI_ALG_HASH>(bank.algorithm);
    const Bytes digest = measure::hash(bank.algorithm, content);
    std::ranges::copy(digest, reinterpret_cast<std::uint8_t*>(&value.digest));
  }
  return values;
}

base::Json bench_extend(const Options& options) {
  std::vector<measure::Event> events;
  for (int i = 0; i < options.count; ++i) events.push_back(environment_variable(i));
  std::optional<measure::LaunchLog> log;
  std::vector<tpm::PcrBank> banks;
  std::vector<TPML_DIGEST_VALUES> digests;
  Samples ours;
  Samples bare;
  for (int round = 0; round < options.rounds; ++round) {
    {
      Tpm tpm = Tpm::open(options.tcti);
      tpm::Pcr pcr(tpm, measure::kLaunchPcr);
      if (!log) {
        log = measure::LaunchLog::start(pcr);
        banks = tpm.pcr_banks();
        for (const measure::Event& event : events) digests.push_back(digests_of(event, banks));
      }
      for (const measure::Event& event : events) ours.time([&] { log->measure(pcr, event); });
    }
    BareTpm tpm(options.tcti);
    for (const TPML_DIGEST_VALUES& values : digests) bare.time([&] { tpm.extend(values); });
  }
  return {{"banks", bank_names(banks)}, {"ours", ours.summary()}, {"bare", bare.summary()}};
}

template <typename T>
T run(asio::io_context& context, base::Awaitable<T> work) {
  std::optional<T> result;
  std::exception_ptr failure;
  asio::co_spawn(context, std::move(work), [&](const std::exception_ptr& thrown, T value) {
    failure = thrown;
    if (!thrown) result = std::move(value);
  });
  context.restart();
  context.run();
  if (failure) std::rethrow_exception(failure);
  return std::move(*result);
}

TPML_PCR_SELECTION selection_of(const tpm::PcrBank& bank) {
  TPML_PCR_SELECTION selection{};
  selection.count = 1;
  selection.pcrSelections[0].hash = static_cast<TPMI_ALG_HASH>(bank.algorithm);
  selection.pcrSelections[0].sizeofSelect = 3;
  for (const std::uint32_t pcr : bank.pcrs) {
    selection.pcrSelections[0].pcrSelect[pcr / 8] |= static_cast<BYTE>(1U << (pcr % 8));
  }
  return selection;
}

/// A launch log as a small workload's is, sealed.
measure::LaunchLog sealed_log(Tpm& tpm) {
  constexpr int kEvents = 10;
  tpm::Pcr pcr(tpm, measure::kLaunchPcr);
  measure::LaunchLog log = measure::LaunchLog::start(pcr);
  for (int i = 0; i < kEvents; ++i) log.measure(pcr, environment_variable(i));
  log.seal(pcr);
  return log;
}

base::Json bench_quote(const Options& options) {
  const bool rsa = options.key == "rsa";
  const Bytes nonce(kNonceBytes, 0x5a);
  TPM2B_DATA bare_nonce{};
  bare_nonce.size = kNonceBytes;
  std::ranges::copy(nonce, bare_nonce.buffer);
  std::vector<tpm::PcrBank> banks;
  Samples bare;
  Samples ours;
  std::optional<measure::LaunchLog> log;
  for (int round = 0; round < options.rounds; ++round) {
    {
      asio::io_context context;
      tpm::TpmWorker worker;
      run(context, [](tpm::TpmWorker& tpm, std::string tcti) -> base::Awaitable<int> {
        co_await tpm.open(std::move(tcti));
        co_return 0;
      }(worker, options.tcti));
      auto load = [&log, &banks, rsa](tpm::Tpm& tpm) {
        if (!log) log = sealed_log(tpm);
        banks = tpm.pcr_banks();
        const auto indices = rsa ? tpm::kRsaKeyIndices : tpm::kEccKeyIndices;
        return std::make_optional(attest::load_attestation_key(tpm, indices));
      };
      std::optional<attest::AttestationKey> key = run(context, worker.run(load));
      attest::TpmRoot attester(worker, std::move(*key),
                               {.boot_log = base::read_file(options.boot_log, measure::kMaxBootLogBytes),
                                .launch_log = log->bytes(),
                                .launch_pcr = log->value(),
                                .ak_chain = {}});
      run(context, attester.evidence(nonce));  // the first one reads the PCRs and verifies its quotes
      for (int i = 0; i < options.count; ++i) ours.time([&] { run(context, attester.evidence(nonce)); });
    }
    BareTpm tpm(options.tcti);
    tpm.create_key(vtpm::attestation_key_template(rsa ? vtpm::KeyKind::kRsa : vtpm::KeyKind::kEcc));
    std::vector<TPML_PCR_SELECTION> selections;
    for (const tpm::PcrBank& bank : banks) selections.push_back(selection_of(bank));
    const auto quote_all = [&] {
      for (const TPML_PCR_SELECTION& pcrs : selections) tpm.quote(bare_nonce, pcrs);
    };
    for (int i = 0; i < options.count; ++i) bare.time(quote_all);
  }
  return {{"banks", bank_names(banks)}, {"ours", ours.summary()}, {"bare", bare.summary()}};
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Times measuring and quoting against the bare TPM commands; prints JSON");
  app.require_subcommand(1);
  Options options;
  CLI::App* extend = app.add_subcommand("extend", "LaunchLog::measure and TPM2_PCR_Extend; PCR 13 must be zero");
  CLI::App* quote = app.add_subcommand("quote", "TpmRoot::evidence and TPM2_Quote; PCR 13 must be zero");
  for (CLI::App* command : {extend, quote}) {
    command->add_option("--tcti", options.tcti, "TCTI configuration")->required();
    command->add_option("--rounds", options.rounds, "Rounds, in each of which both have their turn");
    command->add_option("--count", options.count, "Runs a round");
  }
  quote->add_option("--boot-log", options.boot_log, "Boot event log of the machine")->required();
  quote->add_option("--key", options.key, "Kind of the attestation key")->check(CLI::IsMember({"ecc", "rsa"}));
  CLI11_PARSE(app, argc, argv);
  try {
    std::cout << (extend->parsed() ? bench_extend(options) : bench_quote(options)).dump() << '\n';
  } catch (const std::exception& error) {
    std::cerr << "cs-bench-tpm: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
