// How many verification requests are turned into tokens in a second, by one thread and by several, in turns: what
// cs-verifier does with a request but for HTTP.

#include <algorithm>
#include <chrono>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>

#include "attest/roots/attestation_key.h"
#include "base/file.h"
#include "base/private_directory.h"
#include "evidence/messages.h"
#include "measure/boot_log.h"
#include "measure/launch_log.h"
#include "tpm/pcr.h"
#include "verifier/service/appraisers.h"
#include "verifier/service/issue_token.h"
#include "verifier/service/knowledge.h"

namespace {

using base::Json;

constexpr std::size_t kNonceBytes = 32;
constexpr int kEvents = 10;
const std::string kHardwareModel = "SOFTWARE_TPM";

struct Options {
  std::string tcti;
  std::filesystem::path boot_log;
  std::filesystem::path root;
  std::string project;
  std::size_t threads = 2;
  int rounds = 5;
  int count = 500;
};

/// What a machine that has launched a small workload answers to a challenge.
evidence::TpmEvidence evidence_of(const Options& options, base::ByteView nonce) {
  tpm::Tpm tpm = tpm::Tpm::open(options.tcti);
  tpm::Pcr pcr(tpm, measure::kLaunchPcr);
  auto log = measure::LaunchLog::start(pcr);
  using measure::Event;
  using measure::EventType;
  const std::string digest = "sha256:" + std::string(64, 'a');
  log.measure(pcr, Event::text(EventType::kImageRef, "bench.example/workload:latest"));
  log.measure(pcr, Event::text(EventType::kImageDigest, digest));
  log.measure(pcr, Event::text(EventType::kRestartPolicy, "Never"));
  log.measure(pcr, Event::text(EventType::kImageId, digest));
  log.measure(pcr, Event::text(EventType::kArg, "/workload"));
  for (int i = 0; i < kEvents; ++i) log.measure(pcr, Event::text(EventType::kEnvVar, "V" + std::to_string(i) + "=x"));
  log.measure(pcr, {EventType::kMemoryMonitor, {0}});
  log.seal(pcr);
  const auto key = attest::load_attestation_key(tpm, tpm::kEccKeyIndices);
  evidence::TpmEvidence evidence;
  for (const tpm::PcrBank& bank : tpm.pcr_banks()) {
    tpm::QuoteBlob blob = tpm.quote(key.key, nonce, bank);
    evidence.quotes.push_back(
        {bank.algorithm, tpm.read_pcrs(bank.algorithm, bank.pcrs), std::move(blob.attest), std::move(blob.signature)});
  }
  evidence.boot_log = base::read_file(options.boot_log, measure::kMaxBootLogBytes);
  evidence.launch_log = log.bytes();
  evidence.ak_certificate = base::certificate_der(*key.certificate);
  return evidence;
}

struct Request {
  verifier::ResourcePath resource;
  std::string body;
  base::Bytes nonce;
};

base::Awaitable<void> issue(verifier::Appraisers& appraisers, std::shared_ptr<const verifier::Knowledge> knowledge,
                            std::shared_ptr<const verifier::Signers> signers, std::shared_ptr<const Request> request,
                            int count) {
  for (int i = 0; i < count; ++i) {
    auto job = [knowledge, signers, request] {
      return verifier::issue_token(*knowledge, *signers, knowledge->identity_tokens, request->resource, request->body,
                                   request->nonce, std::chrono::system_clock::now());
    };
    co_await appraisers.run(std::move(job));
  }
}

/// Tokens a second.
double rate(std::size_t threads, const std::shared_ptr<const verifier::Knowledge>& knowledge,
            const std::shared_ptr<const verifier::Signers>& signers, const std::shared_ptr<const Request>& request,
            int count) {
  asio::io_context context;
  verifier::Appraisers appraisers(context.get_executor(), threads);
  const auto began = std::chrono::steady_clock::now();
  // Two that ask for each thread, so that none waits for us.
  const int clients = static_cast<int>(2 * threads);
  for (int i = 0; i < clients; ++i) {
    asio::co_spawn(context, issue(appraisers, knowledge, signers, request, count / clients),
                   [](const std::exception_ptr& failure) {
                     if (failure) std::rethrow_exception(failure);
                   });
  }
  context.run();
  const auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return static_cast<double>(count / clients * clients) / took;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

Json run(const Options& options) {
  const base::PrivateDirectory folder("cs-bench");
  verifier::Config config;
  config.issuer = "https://verifier.example";
  config.state_directory = folder.path() / "state";
  config.attestation_roots = {{options.root, kHardwareModel}};
  config.reference_values = {folder.path() / "values.json"};
  std::ofstream(config.reference_values.front()) << R"({"images":[]})";
  const auto knowledge = std::make_shared<const verifier::Knowledge>(verifier::Knowledge::load(config));
  const auto signers =
      verifier::open_signers(verifier::KeyStore(config.state_directory), config.keys, std::chrono::system_clock::now());
  const auto resource = verifier::parse_resource_path("/v1/projects/" + options.project +
                                                      "/locations/l/challenges/c:verifyConfidentialSpace");
  if (!resource) throw base::Error("--project is no project");
  Request request{*resource, {}, base::Bytes(kNonceBytes, 0x5a)};
  request.body =
      evidence::VerifyRequest{evidence_of(options, request.nonce), {}, {}}.to_json(*resource->challenge).dump();
  const auto shared = std::make_shared<const Request>(std::move(request));
  std::vector<double> one;
  std::vector<double> several;
  for (int round = 0; round < options.rounds; ++round) {
    one.push_back(rate(1, knowledge, signers, shared, options.count));
    several.push_back(rate(options.threads, knowledge, signers, shared, options.count));
  }
  return {
      {"one", median(one)}, {"several", median(several)}, {"threads", options.threads}, {"bytes", shared->body.size()}};
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Measures how many requests for tokens are answered in a second");
  app.add_option("--tcti", options.tcti, "A provisioned TPM; PCR 13 must be zero")->required();
  app.add_option("--boot-log", options.boot_log)->required();
  app.add_option("--root", options.root, "The authority of its attestation key, PEM")->required();
  app.add_option("--project", options.project)->required();
  app.add_option("--threads", options.threads);
  app.add_option("--rounds", options.rounds);
  app.add_option("--count", options.count, "Tokens in a round");
  CLI11_PARSE(app, argc, argv);
  try {
    std::cout << run(options).dump() << '\n';
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
