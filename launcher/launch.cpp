#include "launcher/launch.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <exception>
#include <filesystem>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>

#include <unistd.h>

#include "attest/attestation.h"
#include "attest/roots/ak_chain.h"
#include "attest/token_file.h"
#include "attest/token_service.h"
#include "base/bounded_task.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "base/file.h"
#include "base/service_manager.h"
#include "evidence/instance_identity.h"
#include "evidence/jose.h"
#include "launcher/container/launch_events.h"
#include "launcher/container/mount_points.h"
#include "launcher/container/process.h"
#include "launcher/container/runtime_spec.h"
#include "launcher/containerd/container.h"
#include "launcher/host/lockout.h"
#include "launcher/host/machine_checks.h"
#include "launcher/host/network.h"
#include "launcher/platform/access_token.h"
#include "launcher/platform/file_platform.h"
#include "launcher/platform/gce_platform.h"
#include "launcher/platform/metadata_server.h"
#include "launcher/policy/launch_policy.h"
#include "launcher/pull/image.h"
#include "base/service_wait.h"
#include "launcher/spec/unknown_attributes.h"
#include "measure/boot_log.h"
#include "measure/launch_log.h"
#include "net/http_client.h"
#include "teeserver/endpoints/token.h"
#include "teeserver/server.h"
#include "tpm/pcr.h"
#include "tpm/tpm_worker.h"

namespace launcher {
namespace {

using base::Action;
using base::Awaitable;
using base::Error;
using base::log::info;

constexpr std::size_t kMaxKernelCommandLine = std::size_t{64} << 10U;
constexpr std::string_view kHardenedWord = "confidential-space.hardened=true";
constexpr mode_t kRuntimeDirectoryMode = 0755;
/// So that a slow TPM is through with them well within tpm::kTpmDeadline.
constexpr std::size_t kEventsInOneJob = 256;

// The parts of Launch::kStopBound: for a start under way, for a workload that was killed, for a launch that was broken
// off, and for the end of all else.
constexpr std::chrono::seconds kStartBound{5};
constexpr std::chrono::seconds kKillBound{5};
constexpr std::chrono::seconds kUnwindingBound{15};
constexpr std::chrono::seconds kCleanUpBound{15};
static_assert(kPullUnwinding < kUnwindingBound);
static_assert(kStartBound + kKillBound + kUnwindingBound + kCleanUpBound == Launch::kStopBound);

std::unique_ptr<Platform> platform_of(const asio::any_io_executor& executor, const Options& options) {
  if (options.metadata_file) return std::make_unique<FilePlatform>(*options.metadata_file);
  return std::make_unique<GcePlatform>(executor, base::Clock::system());
}

bool is_hardened(const Options& options) {
  std::istringstream words(base::read_text_file(options.kernel_command_line, kMaxKernelCommandLine));
  for (std::string word; words >> word;) {
    if (word == kHardenedWord) return true;
  }
  return false;
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) {
    throw base::SystemError("cannot get hostname", errno, Action::kRestart);
  }
  return name.data();
}

/// Awaits `work` and returns what it threw, whatever that is; null when it did not.
Awaitable<std::exception_ptr> failure_of(Awaitable<void> work) {
  try {
    co_await std::move(work);
  } catch (...) {  // not hidden: the caller has it
    co_return std::current_exception();
  }
  co_return nullptr;
}

/// A step of the end that failed does not keep the others from being taken.
void log_failure(std::string_view step, const std::exception_ptr& failure) {
  try {
    if (failure) std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    base::log::error(std::string(step) + " failed", {{"error", error.what()}});
  }
}

bool is_absence_of_containerd(const std::exception_ptr& failure) {
  try {
    if (failure) std::rethrow_exception(failure);
  } catch (const ContainerdError& error) {
    return error.is_unavailable();
  } catch (...) {  // not hidden: the caller logs it
  }
  return false;
}

void log_ending(const Ending& ending) {
  if (ending.exit_code == ExitCode::kPanic) {
    base::log::error("Panic", {{"error", ending.error}});
  } else if (!ending.error.empty()) {
    base::log::error(ending.error);
  }
}

void warn_of_unknown(const Attributes& attributes) {
  for (const UnknownAttribute& unknown : unknown_attributes(attributes)) {
    if (unknown.nearest.empty()) {
      base::log::warning("an attribute is not known and has no effect", {{"attribute", unknown.key}});
    } else {
      base::log::warning("an attribute is not known and has no effect",
                         {{"attribute", unknown.key}, {"did_you_mean", unknown.nearest}});
    }
  }
}

Awaitable<void> expect_route(std::string host) {
  const std::optional<std::string> obstacle = why_unroutable(host);
  if (!obstacle) co_return;
  Error failure(*obstacle);
  failure.set_transience(base::Transience::kMayPass);
  throw Error(failure);
}

double seconds_between(std::chrono::nanoseconds begin, std::chrono::nanoseconds end) {
  return std::chrono::duration<double>(end - begin).count();
}

std::string in_seconds(double seconds) {
  std::ostringstream text;
  text.precision(3);
  text << std::fixed << seconds;
  return text.str();
}

}  // namespace

/// What the steps hand on to each other. The members stand in the order in which they come to be, so that they go in
/// the opposite one.
struct Launch::State {
  State(asio::any_io_executor e, Options o, const base::ServiceManager& s)
      : executor(std::move(e)),
        service_manager(s),
        options(std::move(o)),
        clock(base::Clock::system()),
        started(clock.since_boot()),
        metadata(platform_of(executor, options)),
        containerd(options.containerd_socket, options.containerd_namespace),
        container(containerd, {.snapshotter = options.snapshotter}),
        background(executor),
        stopping(executor),
        start_is_over(executor),
        workload_is_over(executor) {}

  // The launch, a step a function, in the order in which they happen.
  Awaitable<void> launch();
  void claim_runtime_directory();
  Awaitable<LaunchSpec> read_launch_spec();
  Awaitable<Attributes> read_attributes();
  Awaitable<void> keep_attributes(Attributes& attributes);
  Awaitable<void> wait_for_network(std::string authority);
  void verify_machine() const;
  Awaitable<void> reach_containerd();
  Awaitable<void> prepare_tpm();
  Awaitable<Image> pull_image();
  Awaitable<std::vector<base::Bytes>> reach_verifier(const X509& ak_certificate);
  Awaitable<base::Json> create_container(const Image& image, const LaunchSpec& spec);
  std::size_t request_bytes(std::size_t launch_log_bytes, const std::vector<base::Bytes>& ak_chain) const;
  void check_request(const std::vector<measure::Event>& events, const std::vector<base::Bytes>& ak_chain) const;
  static void check_token(std::size_t claims);
  Awaitable<void> measure(const Image& image, const LaunchSpec& spec, const base::Json& runtime_spec,
                          const std::vector<base::Bytes>& ak_chain);
  Awaitable<void> attest(std::vector<base::Bytes> ak_chain);
  void open_tee_server();
  Awaitable<void> start_workload(const base::Json& runtime_spec);
  Awaitable<void> wait_for_workload();
  Awaitable<void> clean_up();

  // The answer to a signal.
  Awaitable<void> end_in_order();
  Awaitable<void> end_workload();
  Awaitable<void> signal_workload(int signal);

  Awaitable<void> get_first_token();
  Awaitable<void> wait_for_verifier(base::ServiceWait::Attempt attempt);
  Awaitable<Location> location(const X509& ak_certificate);

  asio::any_io_executor executor;
  const base::ServiceManager& service_manager;
  Options options;
  base::Clock clock;
  std::chrono::nanoseconds started;
  LaunchContext context;
  std::optional<oci::ImageReference> image_reference;
  base::Bytes boot_log;
  std::unique_ptr<Platform> metadata;
  ContainerdClient containerd;
  Container container;
  tpm::TpmWorker tpm;
  std::shared_ptr<measure::LaunchLog> launch_log;           ///< used on the TPM's thread until it is sealed
  std::shared_ptr<attest::AttestationKey> attestation_key;  ///< until the attester has it
  std::optional<attest::GcaVerifier> verifier;
  std::optional<attest::TpmRoot> attester;
  std::optional<attest::Attestation> attestation;
  std::optional<attest::TokenFile> token_file;
  std::optional<attest::TokenService> tokens;
  std::optional<teeserver::Server> tee_server;
  base::TaskGroup background;
  base::TaskGroup stopping;
  std::optional<base::BoundedTask> launching;
  base::Event start_is_over;     ///< the workload runs, or could not be made or started
  base::Event workload_is_over;  ///< or a second signal wants it to be
  bool has_lock = false;         ///< so that what there is of a container is this launcher's, or nobody's any more
  bool touched_containerd = false;
  bool starting = false;
  bool workload_runs = false;
  bool stop_requested = false;
  bool left_something_behind = false;
};

Awaitable<void> Launch::State::launch() {
  claim_runtime_directory();
  const LaunchSpec spec = co_await read_launch_spec();
  verify_machine();
  co_await reach_containerd();
  co_await prepare_tpm();
  const Image image = co_await pull_image();
  std::vector<base::Bytes> ak_chain = co_await reach_verifier(*attestation_key->certificate);
  LaunchPolicy::parse(image.config.labels).verify(spec);
  const base::Json runtime_spec = co_await create_container(image, spec);
  co_await measure(image, spec, runtime_spec, ak_chain);
  co_await attest(std::move(ak_chain));
  open_tee_server();
  co_await start_workload(runtime_spec);
  co_await wait_for_workload();
}

void Launch::State::claim_runtime_directory() {
  base::FileDescriptor directory = base::open_private_directory(options.runtime_directory, kRuntimeDirectoryMode);
  if (!base::lock_directory(directory)) {
    throw Error("another launcher is at work in " + options.runtime_directory.string());
  }
  has_lock = true;
  token_file.emplace(std::move(directory));
}

/// A file is there or not. A metadata server is on the network, and both may be slower to start than this machine.
Awaitable<Attributes> Launch::State::read_attributes() {
  if (options.metadata_file) co_return co_await metadata->attributes();
  co_await wait_for_network(MetadataServer::host_from_environment());
  Attributes attributes;
  base::ServiceWait::Attempt read = [this, &attributes]() { return keep_attributes(attributes); };
  base::ServiceWait wait(executor, clock, "metadata server", options.wait);
  co_await wait.until(std::move(read));
  co_return attributes;
}

Awaitable<void> Launch::State::keep_attributes(Attributes& attributes) { attributes = co_await metadata->attributes(); }

Awaitable<void> Launch::State::wait_for_network(std::string authority) {
  const net::HttpUrl url = net::HttpUrl::parse("http://" + authority, "GCE_METADATA_HOST");
  if (url.is_loopback()) co_return;
  base::ServiceWait::Attempt look = [host = url.host]() { return expect_route(host); };
  base::ServiceWait wait(executor, clock, "network", options.wait);
  co_await wait.until(std::move(look));
}

Awaitable<LaunchSpec> Launch::State::read_launch_spec() {
  service_manager.status("reading the launch specification");
  try {
    const Attributes attributes = co_await read_attributes();
    warn_of_unknown(attributes);
    LaunchSpec spec = LaunchSpec::parse(attributes);
    image_reference = oci::ImageReference::parse(spec.image_reference, "tee-image-reference");
    context = {.spec_is_known = true, .hardened = is_hardened(options), .restart_policy = spec.restart_policy};
    base::log::document("Launch Spec: " + spec.loggable().dump(), {{"hardened", context.hardened ? "true" : "false"}});
    co_return spec;
  } catch (const Error& error) {
    throw error.in_context("failed to get launchspec");
  }
}

void Launch::State::verify_machine() const {
  if (!options.check_machine) return;
  service_manager.status("checking the machine");
  std::error_code failure;
  const auto runtime_directory = std::filesystem::weakly_canonical(options.runtime_directory, failure);
  if (failure) throw base::SystemError(options.runtime_directory.string(), failure.value());
  const MachineReport report = check_machine(MachineState::read(), runtime_directory);
  info("machine verified", {{"root_digest", report.root_digest}, {"state_cipher", report.state_cipher}});
}

Awaitable<void> Launch::State::reach_containerd() {
  service_manager.status("connecting to containerd");
  const std::string version = co_await containerd.version();
  info("connected to containerd", {{"version", version}});
}

Awaitable<void> Launch::State::prepare_tpm() {
  service_manager.status("preparing the TPM");
  co_await tpm.open(options.tcti);
  boot_log = base::read_file(options.boot_log, measure::kMaxBootLogBytes);
  auto prepare = [indices = options.attestation_key](tpm::Tpm& device) {
    const tpm::LockoutState before = device.lockout_state();
    report_lockout(before, set_lockout_parameters(device));
    tpm::Pcr pcr(device, measure::kLaunchPcr);
    auto log = std::make_shared<measure::LaunchLog>(measure::LaunchLog::start(pcr));
    auto key = std::make_shared<attest::AttestationKey>(attest::load_attestation_key(device, indices));
    return std::make_pair(std::move(log), std::move(key));
  };
  std::tie(launch_log, attestation_key) = co_await tpm.run(std::move(prepare));
}

Awaitable<Image> Launch::State::pull_image() {
  service_manager.status("pulling " + image_reference->name());
  std::optional<oci::Credential> google;
  if (is_google_registry(image_reference->registry_host())) {
    const std::optional<std::string> token = co_await metadata->access_token();
    if (token) google = oci::Credential{"_token", *token};
  }
  net::HttpClient http(executor, options.registry_ca);
  oci::RegistryLimits limits;
  limits.answer_timeout = options.registry_wait;
  oci::RegistryClient registry(
      http, [google](const std::string& host) { return is_google_registry(host) ? google : std::nullopt; }, limits);
  const auto began = clock.since_boot();
  touched_containerd = true;
  try {
    PullOptions pull_options{.snapshotter = options.snapshotter};
    Image image = co_await pull(registry, containerd, *image_reference, std::move(pull_options));
    info("image pulled", {{"image", image.name},
                          {"digest", image.target.digest.string()},
                          {"image_id", image.config_digest.string()},
                          {"pull_sec", in_seconds(seconds_between(began, clock.since_boot()))}});
    co_return image;
  } catch (const Error& error) {
    throw error.in_context("cannot pull the image", Action::kGiveUp);
  }
}

Awaitable<Location> Launch::State::location(const X509& ak_certificate) {
  std::optional<Location> known = co_await metadata->location();
  if (known) co_return std::move(*known);
  const auto identity = evidence::instance_identity_of(ak_certificate);
  if (!identity) throw Error("neither the metadata nor the attestation key certificate tell project and zone");
  co_return Location{.project_id = identity->project_id, .zone = identity->zone};
}

Awaitable<std::vector<base::Bytes>> Launch::State::reach_verifier(const X509& ak_certificate) {
  service_manager.status("connecting to the verifier");
  const Location here = co_await location(ak_certificate);
  attest::GcaVerifier::Config config{.endpoint = options.verifier,
                                     .ca_file = options.verifier_ca,
                                     .project_id = here.project_id,
                                     .region = here.region(),
                                     .access_token = {}};
  if (is_google_api(options.verifier)) config.access_token = [this] { return metadata->access_token(); };
  try {
    verifier.emplace(executor, std::move(config));
    base::ServiceWait::Attempt check = [this] { return verifier->check_location(); };
    co_await wait_for_verifier(std::move(check));
    net::HttpClient http(executor);
    co_return co_await attest::fetch_ak_chain(http, ak_certificate);
  } catch (const Error& error) {
    throw error.in_context("failed to create the attestation client");
  }
}

Awaitable<base::Json> Launch::State::create_container(const Image& image, const LaunchSpec& spec) {
  service_manager.status("creating the container");
  const std::optional<std::string> instance = co_await metadata->instance_name();
  const std::string hostname = instance ? *instance : host_name();
  co_await container.remove();
  const std::vector<Mount> mounts = co_await container.prepare_snapshot(image.chain_id);
  ProcessSpec process;
  process.args = final_args(image.config, spec.cmd);
  process.env = final_env(image.config, spec.env, hostname);
  process.cwd = final_working_dir(image.config);
  const ReadonlyMount file_system(mounts);
  process.user = resolve_user(file_system.path(), image.config.user);
  base::Json runtime_spec = build_runtime_spec(
      process, {.runtime_directory = options.runtime_directory, .cgroups_path = container.cgroups_path()});
  check_mount_points(file_system.path(), runtime_spec);
  try {
    co_await container.create(image.name, runtime_spec);
  } catch (const Error& error) {
    throw error.in_context("failed to create the container", Action::kRestart);
  }
  co_return runtime_spec;
}

/// Of a request for a token, at the most.
std::size_t Launch::State::request_bytes(std::size_t launch_log_bytes, const std::vector<base::Bytes>& ak_chain) const {
  std::size_t evidence = boot_log.size() + launch_log_bytes;
  evidence += base::certificate_der(*attestation_key->certificate).size();
  for (const base::Bytes& certificate : ak_chain) evidence += certificate.size();
  return evidence::max_verify_request_bytes(evidence);
}

/// What no verifier would take must not be measured: there would be no token, and no second launch before a reboot.
void Launch::State::check_request(const std::vector<measure::Event>& events,
                                  const std::vector<base::Bytes>& ak_chain) const {
  const std::size_t request = request_bytes(launch_log->size_with(events), ak_chain);
  if (request <= evidence::kMaxVerifyRequestBytes) return;
  throw base::InvalidInput("container arguments and environment",
                           "the request for a token may have " + std::to_string(request) + " bytes, more than the " +
                               std::to_string(evidence::kMaxVerifyRequestBytes) + " that a verifier takes");
}

void Launch::State::check_token(std::size_t claims) {
  const std::size_t token = evidence::max_token_bytes(claims);
  if (token <= evidence::kMaxJwtBytes) return;
  throw base::InvalidInput("container arguments and environment",
                           "a token that tells them may have " + std::to_string(token) + " bytes, more than the " +
                               std::to_string(evidence::kMaxJwtBytes) + " that are taken of one");
}

Awaitable<void> Launch::State::measure(const Image& image, const LaunchSpec& spec, const base::Json& runtime_spec,
                                       const std::vector<base::Bytes>& ak_chain) {
  service_manager.status("measuring");
  const MeasuredLaunch measured{.image_reference = image.name,
                                .image_digest = image.target.digest,
                                .image_id = image.config_digest,
                                .restart_policy = spec.restart_policy,
                                .args = args_of(runtime_spec),
                                .env = env_of(runtime_spec),
                                .env_override = spec.env,
                                .cmd_override = spec.cmd};
  const std::vector<measure::Event> events = launch_events(measured);
  check_request(events, ak_chain);
  check_token(claims_bytes(measured));
  try {
    std::span<const measure::Event> left(events);
    while (!left.empty()) {
      const auto part = left.first(std::min(left.size(), kEventsInOneJob));
      left = left.subspan(part.size());
      auto measure_part = [log = launch_log, own = std::vector(part.begin(), part.end())](tpm::Tpm& device) {
        tpm::Pcr pcr(device, measure::kLaunchPcr);
        for (const measure::Event& event : own) log->measure(pcr, event);
      };
      co_await tpm.run(std::move(measure_part));
    }
    auto seal = [log = launch_log](tpm::Tpm& device) {
      tpm::Pcr pcr(device, measure::kLaunchPcr);
      log->seal(pcr);
    };
    co_await tpm.run(std::move(seal));
  } catch (const Error& error) {
    throw error.in_context("failed to measure CEL events");
  }
  for (const measure::Digest& value : launch_log->value()) {
    info("measured", {{"pcr", 13}, {"bank", name_of(value.algorithm())}, {"value", base::hex_encode(value.bytes())}});
  }
}

Awaitable<void> Launch::State::attest(std::vector<base::Bytes> ak_chain) {
  service_manager.status("attesting");
  const std::size_t request = request_bytes(launch_log->bytes().size(), ak_chain);
  attester.emplace(tpm, std::move(*attestation_key),
                   attest::TpmRoot::Endorsements{.boot_log = std::move(boot_log),
                                                 .launch_log = launch_log->bytes(),
                                                 .launch_pcr = launch_log->value(),
                                                 .ak_chain = std::move(ak_chain)});
  attestation.emplace(
      *attester, *verifier, [this](std::string audience) { return metadata->identity_token(std::move(audience)); },
      clock);
  tokens.emplace(
      executor, [this](evidence::TokenOptions wanted) { return attestation->token(std::move(wanted)); },
      [this](const attest::Token& token) { token_file->write(token.jwt); }, clock,
      attest::TokenService::CustomTokens{.at_once = attest::custom_tokens_at_once(request)});
  try {
    // Each attempt has a challenge of its own.
    base::ServiceWait::Attempt get = [this] { return get_first_token(); };
    co_await wait_for_verifier(std::move(get));
  } catch (const Error& error) {
    throw error.in_context("failed to fetch and write OIDC token", Action::kGiveUp);
  }
  background.spawn(tokens->keep_fresh());
}

Awaitable<void> Launch::State::get_first_token() { co_await tokens->fresh_default_token(); }

Awaitable<void> Launch::State::wait_for_verifier(base::ServiceWait::Attempt attempt) {
  base::ServiceWait wait(executor, clock, "verifier", options.wait);
  co_await wait.until(std::move(attempt));
}

void Launch::State::open_tee_server() {
  tee_server.emplace(executor, teeserver::Router({teeserver::token_endpoint(*tokens)}));
  tee_server->listen(options.runtime_directory);
  info("TEE server listens", {{"socket", (options.runtime_directory / teeserver::Server::kSocketName).string()}});
}

Awaitable<void> Launch::State::start_workload(const base::Json& runtime_spec) {
  service_manager.status("starting the workload");
  // From here on containerd is left to end what it is at: a task that is half made is nobody's to remove.
  starting = true;
  const std::shared_ptr<void> started_or_not(nullptr, [this](void*) {
    starting = false;
    start_is_over.set();
  });
  try {
    TaskOutput discarded;
    co_await container.create_task(std::move(discarded));
  } catch (const Error& error) {
    throw error.in_context("failed to create the task", stop_requested ? Action::kGiveUp : Action::kRestart);
  }
  if (stop_requested) throw boost::system::system_error(asio::error::operation_aborted);
  // What was measured is what stands ready to run now; nobody has changed it through containerd meanwhile.
  co_await container.expect_spec(runtime_spec);
  info("Workload setup completed", {{"setup_sec", in_seconds(seconds_between(started, clock.since_boot()))}});
  try {
    co_await container.start();
  } catch (const Error& error) {
    throw error.in_context("failed to start the task", Action::kRestart);
  }
  workload_runs = true;
  info("workload task started", {{"uptime_sec", in_seconds(seconds_between({}, clock.since_boot()))}});
}

Awaitable<void> Launch::State::wait_for_workload() {
  service_manager.status("the workload runs");
  const std::shared_ptr<void> ended_or_lost(nullptr, [this](void*) {
    workload_runs = false;
    workload_is_over.set();
  });
  const auto began = clock.since_boot();
  const std::uint32_t status = co_await container.wait();
  const std::string duration = in_seconds(seconds_between(began, clock.since_boot()));
  if (status == 0) {
    info("workload task ended and returned 0", {{"workload_execution_sec", duration}});
    co_return;
  }
  base::log::error("workload task ended and returned non-zero",
                   {{"workload_execution_sec", duration}, {"return_code", std::uint64_t{status}}});
  throw WorkloadError();
}

Awaitable<void> Launch::State::clean_up() {
  tpm.release(std::move(attestation_key));
  background.cancel();
  std::exception_ptr failure;
  if (tee_server) failure = co_await failure_of(tee_server->stop());
  log_failure("closing the TEE server", failure);
  failure = nullptr;
  if (has_lock) failure = co_await failure_of(container.remove());
  // A containerd that was not needed yet need not be there.
  if (touched_containerd || !is_absence_of_containerd(failure)) log_failure("removing the container", failure);
  failure = nullptr;
  if (tokens) failure = co_await failure_of(tokens->stop());
  log_failure("ending the attestation", failure);
  failure = co_await failure_of(background.join());
  log_failure("renewing the token", failure);
  stopping.cancel();
  failure = co_await failure_of(stopping.join());
  log_failure("ending the workload", failure);
}

/// Cancel, bounded wait, hard stop: for whatever the launch is at.
Awaitable<void> Launch::State::end_in_order() {
  if (starting) co_await start_is_over.wait_for(kStartBound);
  if (workload_runs) co_await end_workload();
  if (launching->has_ended()) co_return;
  launching->cancel();
  co_await launching->wait_for(kUnwindingBound);
  if (launching->has_ended()) co_return;
  base::log::warning("a step of the launch does not end, it is left behind");
  left_something_behind = true;
  launching->let_go();
}

Awaitable<void> Launch::State::end_workload() {
  info("received a signal, the workload is asked to end", {{"grace_sec", std::int64_t{options.stop_grace.count()}}});
  service_manager.status("the workload is asked to end");
  stopping.spawn(signal_workload(SIGTERM));
  co_await workload_is_over.wait_for(options.stop_grace);
  if (!workload_runs) {
    co_await launching->wait_for(kKillBound);
    co_return;
  }
  base::log::warning(workload_is_over.is_set() ? "received a second signal, the workload is killed"
                                               : "the workload has not ended within its grace, it is killed");
  stopping.spawn(signal_workload(SIGKILL));
  co_await launching->wait_for(kKillBound);
}

Awaitable<void> Launch::State::signal_workload(int signal) {
  const std::exception_ptr failure = co_await failure_of(container.kill(signal));
  log_failure("signalling the workload", failure);
}

Launch::Launch(asio::any_io_executor executor, Options options, const base::ServiceManager& service_manager)
    : state_(std::make_unique<State>(std::move(executor), std::move(options), service_manager)) {}

Launch::~Launch() = default;

Awaitable<ExitCode> Launch::run() {
  State& state = *state_;
  info("Boot completed", {{"duration_sec", in_seconds(seconds_between({}, state.started))}});
  info("TEE container launcher initiating");
  state.launching.emplace(state.executor, state.launch());
  if (state.stop_requested) state.stopping.spawn(state.end_in_order());
  co_await state.launching->wait();
  const Ending ending = ending_of(state.launching->failure(), state.context, state.stop_requested);
  log_ending(ending);
  state.service_manager.status("cleaning up");
  state.service_manager.stopping();
  base::BoundedTask cleaning_up(state.executor, state.clean_up());
  co_await cleaning_up.wait_for(kCleanUpBound);
  if (!cleaning_up.has_ended()) {
    base::log::warning("cleaning up takes too long, the next launcher goes on with it",
                       {{"bound_sec", std::int64_t{kCleanUpBound.count()}}});
    state.left_something_behind = true;
  }
  info("TEE container launcher exiting",
       {{"exit_code", static_cast<int>(ending.exit_code)}, {"exit_msg", message_of(ending.exit_code)}});
  co_return ending.exit_code;
}

void Launch::stop() {
  State& state = *state_;
  const bool again = std::exchange(state.stop_requested, true);
  if (again) {
    state.workload_is_over.set();
  } else if (state.launching) {
    state.stopping.spawn(state.end_in_order());
  }
}

bool Launch::left_something_behind() const noexcept { return state_->left_something_behind; }

}  // namespace launcher
