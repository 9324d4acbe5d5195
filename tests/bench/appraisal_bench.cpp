// How many verification requests are turned into tokens of each kind in a second, by one thread and by several, in
// turns; how long one takes while half as many come in as several threads can do; and how much memory many of them
// leave: what cs-verifier does with a request but for HTTP.

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

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
#include "verifier/tokens/pki.h"

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
  int paced_count = 2000;
  int endured_count = 100000;
};

constexpr std::array kKinds = {evidence::TokenType::kOidc, evidence::TokenType::kPki,
                               evidence::TokenType::kAwsPrincipalTags};

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

/// A verifier, and one request for a token to it.
struct Work {
  std::shared_ptr<const verifier::Knowledge> knowledge;
  std::shared_ptr<const verifier::Signers> signers;
  verifier::ResourcePath resource;
  base::Bytes nonce;
  std::string body;

  verifier::IssuedToken issue() const {
    return verifier::issue_token(*knowledge, *signers, knowledge->identity_tokens, resource, body, nonce,
                                 std::chrono::system_clock::now());
  }
};
using SharedWork = std::shared_ptr<const Work>;

base::Awaitable<void> issue(verifier::Appraisers& appraisers, SharedWork work, int count) {
  for (int i = 0; i < count; ++i) {
    auto job = [work] { return work->issue(); };
    co_await appraisers.run(std::move(job));
  }
}

void rethrow(const std::exception_ptr& failure) {
  if (failure) std::rethrow_exception(failure);
}

/// Tokens a second.
double rate(std::size_t threads, const SharedWork& work, int count) {
  asio::io_context context;
  verifier::Appraisers appraisers(context.get_executor(), threads);
  const auto began = std::chrono::steady_clock::now();
  // Two that ask for each thread, so that none waits for us.
  const int clients = static_cast<int>(2 * threads);
  for (int i = 0; i < clients; ++i) {
    asio::co_spawn(context, issue(appraisers, work, count / clients), &rethrow);
  }
  context.run();
  const auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return static_cast<double>(count / clients * clients) / took;
}

using Milliseconds = std::chrono::duration<double, std::milli>;

base::Awaitable<void> issue_one(verifier::Appraisers& appraisers, SharedWork work, std::vector<double>& took) {
  const auto began = std::chrono::steady_clock::now();
  auto job = [work] { return work->issue(); };
  co_await appraisers.run(std::move(job));
  took.push_back(Milliseconds(std::chrono::steady_clock::now() - began).count());
}

/// One begins each `interval`, whether or not those before it have ended.
base::Awaitable<void> issue_at_a_pace(verifier::Appraisers& appraisers, SharedWork work, int count,
                                      std::chrono::nanoseconds interval, std::vector<double>& took) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  auto next = std::chrono::steady_clock::now();
  for (int i = 0; i < count; ++i) {
    timer.expires_at(next);
    co_await timer.async_wait(asio::use_awaitable);
    asio::co_spawn(timer.get_executor(), issue_one(appraisers, work, took), &rethrow);
    next += interval;
  }
}

/// Milliseconds, sorted.
std::vector<double> latencies(std::size_t threads, const SharedWork& work, int count, double per_second) {
  asio::io_context context;
  verifier::Appraisers appraisers(context.get_executor(), threads);
  std::vector<double> took;
  const std::chrono::nanoseconds interval(static_cast<std::int64_t>(1e9 / per_second));
  asio::co_spawn(context, issue_at_a_pace(appraisers, work, count, interval, took), &rethrow);
  context.run();
  std::ranges::sort(took);
  return took;
}

/// Of this process, but for pages of files.
std::size_t memory_kb() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssAnon:")) return std::stoul(line.substr(line.find_first_of("0123456789")));
  }
  throw base::Error("the kernel does not say how much memory is used");
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

/// A request for a token of each kind.
std::vector<SharedWork> works_of(const Options& options, const std::filesystem::path& folder) {
  const auto now = std::chrono::system_clock::now();
  verifier::Config config;
  config.issuer = "https://verifier.example";
  config.state_directory = folder / "state";
  config.attestation_roots = {{options.root, kHardwareModel}};
  config.reference_values = {folder / "values.json"};
  std::ofstream(config.reference_values.front()) << R"({"images":[]})";
  verifier::make_pki_root(folder / "root", "Bench", now);
  verifier::make_pki_intermediate(verifier::PkiRoot::load(folder / "root", now),
                                  config.state_directory / verifier::kPkiFolder, now);
  const auto resource = verifier::parse_resource_path("/v1/projects/" + options.project +
                                                      "/locations/l/challenges/c:verifyConfidentialSpace");
  if (!resource) throw base::Error("--project is no project");
  Work work{.knowledge = std::make_shared<const verifier::Knowledge>(verifier::Knowledge::load(config)),
            .signers = verifier::open_signers(verifier::KeyStore(config.state_directory), config.keys, now),
            .resource = *resource,
            .nonce = base::Bytes(kNonceBytes, 0x5a),
            .body = {}};
  const evidence::TpmEvidence evidence = evidence_of(options, work.nonce);
  std::vector<SharedWork> works;
  for (const evidence::TokenType kind : kKinds) {
    const evidence::TokenOptions wanted{
        .audience = "https://rp.example", .nonces = {}, .type = kind, .signature_key_ids = {}};
    work.body = evidence::VerifyRequest{evidence, {}, wanted}.to_json(*resource->challenge).dump();
    works.push_back(std::make_shared<const Work>(work));
  }
  return works;
}

Json run(const Options& options) {
  const base::PrivateDirectory folder("cs-bench");
  const std::vector<SharedWork> works = works_of(options, folder.path());
  std::vector<std::vector<double>> one(works.size());
  std::vector<std::vector<double>> several(works.size());
  for (int round = 0; round < options.rounds; ++round) {
    for (std::size_t i = 0; i < works.size(); ++i) {
      one[i].push_back(rate(1, works[i], options.count));
      several[i].push_back(rate(options.threads, works[i], options.count));
    }
  }
  const SharedWork& usual = works.front();
  Json result = {{"threads", options.threads}, {"bytes", usual->body.size()}};
  for (std::size_t i = 0; i < works.size(); ++i) {
    result["rates"][std::string(name_of(kKinds.at(i)))] = {{"one", median(one[i])}, {"several", median(several[i])}};
  }
  const double half = median(several.front()) / 2;
  const std::vector<double> took = latencies(options.threads, usual, options.paced_count, half);
  result["half_load"] = {{"rate", half}, {"p50_ms", took[took.size() / 2]}, {"p99_ms", took[took.size() * 99 / 100]}};
  const int warm_up = options.endured_count / 10;
  rate(options.threads, usual, warm_up);
  const std::size_t before = memory_kb();
  rate(options.threads, usual, options.endured_count - warm_up);
  result["memory"] = {{"requests", options.endured_count}, {"before_kb", before}, {"after_kb", memory_kb()}};
  return result;
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
  app.add_option("--paced", options.paced_count, "Tokens at half load");
  app.add_option("--endured", options.endured_count, "Tokens of which the first tenth is the warm-up");
  CLI11_PARSE(app, argc, argv);
  try {
    std::cout << run(options).dump() << '\n';
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
