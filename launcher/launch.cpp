#include "launcher/launch.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "attest/attester.h"
#include "attest/roots/ak_chain.h"
#include "attest/roots/tpm_launch.h"
#include "base/bounded_task.h"
#include "base/file.h"
#include "base/service_wait.h"
#include "evidence/messages.h"
#include "launcher/clean_up.h"
#include "launcher/cloud.h"
#include "launcher/plan/launch_events.h"
#include "launcher/host/firewall.h"
#include "launcher/host/kernel_command_line.h"
#include "launcher/host/lockout.h"
#include "launcher/host/machine_checks.h"
#include "launcher/host/machine_offer.h"
#include "launcher/host/metrics_server.h"
#include "launcher/host/power_button.h"
#include "launcher/image_signatures.h"
#include "launcher/platform/access_token.h"
#include "launcher/platform/file_platform.h"
#include "launcher/platform/gce_platform.h"
#include "launcher/platform/principals.h"
#include "launcher/platform/registry_access.h"
#include "launcher/policy/launch_policy.h"
#include "launcher/spec/lists.h"
#include "launcher/spec/unknown_attributes.h"
#include "launcher/workload.h"
#include "measure/boot_log.h"
#include "net/http_client.h"
#include "teeserver/endpoints/evidence.h"
#include "teeserver/endpoints/status.h"
#include "teeserver/endpoints/token.h"
#include "teeserver/server.h"
#include "tpm/tpm_worker.h"

namespace launcher {
namespace {

using base::Action;
using base::Awaitable;
using base::Error;
using base::log::info;

constexpr mode_t kRuntimeDirectoryMode = 0755;
constexpr auto kInputDevices = "/dev/input";

// The parts of Launch::kStopBound: for the workload, for a launch that was broken off, for the end of all else, and for
// the last lines of the log.
constexpr std::chrono::seconds kUnwindingBound{15};
constexpr std::chrono::seconds kCleanUpBound{15};
static_assert(kPullUnwinding < kUnwindingBound);
static_assert(2 * WorkloadOutput::kDrainBound < kUnwindingBound);  // what is still to come, then the sinks
static_assert(Workload::kStartBound + Workload::kKillBound + kUnwindingBound + kCleanUpBound + Cloud::kEndBound ==
              Launch::kStopBound);

std::unique_ptr<Platform> platform_of(const asio::any_io_executor& executor, const Options& options,
                                      const base::Clock& clock) {
  if (options.metadata_file) return std::make_unique<FilePlatform>(*options.metadata_file);
  return std::make_unique<GcePlatform>(executor, clock, options.wait);
}

/// The folder, and with it the right to the container of that name, until the last copy has gone.
using Claim = std::shared_ptr<const base::FileDescriptor>;

Claim claim_runtime_directory(const std::filesystem::path& path) {
  auto directory = std::make_shared<base::FileDescriptor>(base::open_private_directory(path, kRuntimeDirectoryMode));
  if (!base::lock_directory(*directory)) throw Error("another launcher is at work in " + path.string());
  return directory;
}

void log_ending(const Ending& ending) {
  if (ending.exit_code == ExitCode::kPanic) {
    base::log::error("Panic", {{"error", ending.error}});
  } else if (!ending.error.empty()) {
    base::log::error(ending.error);
  }
}

oci::DockerConfig read_registry_auth_file(const std::optional<std::filesystem::path>& file) {
  if (!file) return {};
  return oci::DockerConfig::parse(base::read_text_file(*file, oci::kMaxDockerConfigBytes), file->string());
}

void log_image(const Image& image) {
  info("Retrieved image config", {{"image_id", image.config_digest.string()}});
  info("Image Labels", {{"labels", base::Json(image.config.labels).dump()}});
  info("Exposed Ports:", {{"ports", joined(image.config.exposed_ports)}});
}

/// For a launch that does without a token of its own: the workload may find the service there later.
Awaitable<void> note_absence(base::ServiceWait::Attempt attempt) {
  try {
    co_await attempt();
  } catch (const Error& error) {
    base::log::warning("the attestation service can't be used yet", {{"error", error.what()}});
  }
}

teeserver::EvidenceSource evidence_of(attest::Attester& attester) {
  return [&attester](base::Bytes challenge) { return attester.evidence_for(std::move(challenge)); };
}

Awaitable<void> get_first_token(attest::Attester& attester) { co_await attester.tokens().fresh_default_token(); }

/// What a launch can do without: that it fails is said, and ends nothing else.
Awaitable<void> watch(Awaitable<void> watching) {
  constexpr std::string_view kFailed = "a power button or the firewall's helper is not watched any more";
  try {
    co_await std::move(watching);
  } catch (const Error& error) {
    base::log::warning(kFailed, {{"error", error.what()}});
  } catch (const boost::system::system_error& error) {
    if (error.code() == asio::error::operation_aborted) throw;
    base::log::warning(kFailed, {{"error", error.what()}});
  }
}

Awaitable<void> end(base::TaskGroup& group) {
  group.cancel();
  co_await group.join();
}

/// The workload may do without.
Awaitable<void> warn_of_closed_ports(const base::FileDescriptor& connection) {
  co_await wait_for_helpers_end(connection);
  base::log::warning("the firewall's helper has gone, and the workload's ports are closed");
}

/// A verifier that has answered, and what it will want to see of the machine's key.
struct ReachedVerifier {
  std::unique_ptr<attest::GcaVerifier> verifier;
  std::vector<base::Bytes> ak_chain;
};

}  // namespace

/// What there is for the whole of a launch.
struct Launch::State {
  State(asio::any_io_executor e, Options o, const base::ServiceManager& s)
      : executor(std::move(e)),
        service_manager(s),
        options(std::move(o)),
        clock(base::Clock::system()),
        platform(platform_of(executor, options, clock)),
        cloud(executor, clock, *platform, options.cloud, options.google_ca),
        workload(executor, clock, ContainerdClient(options.containerd_socket, options.containerd_namespace),
                 options.snapshotter, output_options()),
        watches(executor),
        stopping(executor) {}

  Awaitable<void> launch();
  void stop();
  void heed_power_buttons();
  OutputOptions output_options();
  void begin(std::string_view step) const { service_manager.status(step); }

  // The steps that take more than one call, in the order in which they happen.
  Awaitable<LaunchSpec> read_launch_spec();
  Awaitable<attest::TpmLaunch> prepare_tpm();
  RegistryAccess registry_access(oci::DockerConfig auth) const;
  Awaitable<Image> pull_image(oci::ImageReference reference, oci::DockerConfig auth);
  Awaitable<ReachedVerifier> reach_verifier(const LaunchSpec& spec, const X509& ak_certificate);
  Awaitable<std::shared_ptr<attest::Attester>> measure(attest::TpmLaunch tpm_launch, ReachedVerifier reached,
                                                       MeasuredLaunch launch, const LaunchSpec& spec, Claim claim);
  attest::ImageSignatureSource image_signatures(const LaunchSpec& spec, const oci::Digest& image) const;
  Awaitable<void> attest(attest::Attester& attester);
  void open_tee_server(std::shared_ptr<attest::Attester> attester);
  Awaitable<void> open_exposed_ports(std::vector<firewall::Port> ports);
  void open_metrics_server(Monitoring monitoring);

  Awaitable<void> wait_for_verifier(base::ServiceWait::Attempt attempt);
  Awaitable<void> end_in_order();

  asio::any_io_executor executor;
  const base::ServiceManager& service_manager;
  Options options;
  base::Clock clock;
  std::unique_ptr<Platform> platform;
  Cloud cloud;
  tpm::TpmWorker tpm;
  Workload workload;
  CleanUp clean_up;
  base::TaskGroup watches;
  base::TaskGroup stopping;
  std::optional<base::BoundedTask> launching;
  LaunchContext context;
  bool stop_requested = false;
  bool left_something_behind = false;
};

Awaitable<void> Launch::State::launch() {
  const Claim claim = claim_runtime_directory(options.runtime_directory);
  // What there is of a container is this launcher's now, or nobody's any more.
  clean_up.add("removing the container", [this, claim] { return workload.remove(); });

  begin("reading the launch specification");
  const LaunchSpec spec = co_await read_launch_spec();
  context = {.spec_is_known = true,
             .hardened = is_hardened(options.kernel_command_line),
             .restart_policy = spec.restart_policy};
  base::log::document("Launch Spec: " + spec.loggable().dump(), {{"hardened", context.hardened ? "true" : "false"}});

  if (options.check_machine) {
    begin("checking the machine");
    check_this_machine(options.runtime_directory);
  }

  begin("connecting to containerd");
  co_await workload.reach_containerd();

  begin("preparing the TPM");
  attest::TpmLaunch tpm_launch = co_await prepare_tpm();

  begin("pulling " + spec.image.name());
  const Image image = co_await pull_image(spec.image, spec.registry_auth);

  log_image(image);
  const LaunchPolicy policy = LaunchPolicy::parse(image.config.labels, image.config.exposed_ports);
  info("Launch Policy", {{"policy", policy.loggable().dump()}});
  policy.verify(spec, context.hardened);

  open_metrics_server(spec.monitoring);
  cloud.publish_metrics(spec.monitoring);

  begin("connecting to the verifier");
  ReachedVerifier reached = co_await reach_verifier(spec, tpm_launch.ak_certificate());

  begin("creating the container");
  info("Preparing Container Runner", {{"image", image.name}});
  std::string hostname = co_await name_of_machine(*platform);
  const base::Json runtime_spec = co_await workload.create(image, spec, std::move(hostname), options.runtime_directory);

  begin("measuring");
  MeasuredLaunch measured = MeasuredLaunch::of(image, spec, runtime_spec);
  const std::shared_ptr<attest::Attester> attester =
      co_await measure(std::move(tpm_launch), std::move(reached), std::move(measured), spec, claim);

  begin("attesting");
  if (spec.attestation.default_token) co_await attest(*attester);
  open_tee_server(attester);

  co_await open_exposed_ports(policy.ports);

  begin("starting the workload");
  co_await workload.start(runtime_spec);

  begin("the workload runs");
  co_await workload.wait();
}

OutputOptions Launch::State::output_options() {
  OutputOptions output = options.output;
  output.copy = cloud.workload_lines();
  return output;
}

Awaitable<LaunchSpec> Launch::State::read_launch_spec() {
  try {
    const Attributes attributes = co_await platform->attributes();
    cloud.write_log();  // here already: what is wrong with attributes is to stand in it
    warn_of_unknown(attributes);
    co_return LaunchSpec::parse(attributes, read_machine_offer(options.container_capabilities, options.services));
  } catch (const Error& error) {
    throw error.in_context("failed to get launchspec");
  }
}

Awaitable<attest::TpmLaunch> Launch::State::prepare_tpm() {
  co_await tpm.open(options.tcti);
  base::Bytes boot_log = base::read_file(options.boot_log, measure::kMaxBootLogBytes);
  co_await tpm.run(guard_against_lockout);
  co_return co_await attest::TpmLaunch::begin(tpm, options.attestation_key, std::move(boot_log));
}

RegistryAccess Launch::State::registry_access(oci::DockerConfig auth) const {
  return {.credentials = {std::move(auth), read_registry_auth_file(options.registry_auth), *platform},
          .registry_ca = options.registry_ca,
          .google_ca = options.google_ca};
}

Awaitable<Image> Launch::State::pull_image(oci::ImageReference reference, oci::DockerConfig auth) {
  RegistryAccess access = registry_access(std::move(auth));
  net::HttpClient http(executor, access.roots_for(reference.registry_host()));
  oci::RegistryLimits limits;
  limits.transport.answer_timeout = options.registry_wait;
  oci::RegistryClient registry(
      http, [&access](std::string host) { return access.credentials.of(std::move(host)); }, limits);
  co_return co_await workload.pull(registry, std::move(reference));
}

Awaitable<ReachedVerifier> Launch::State::reach_verifier(const LaunchSpec& spec, const X509& ak_certificate) {
  const AttestationService& service = spec.service;
  info("attestation service", {{"name", service.name}, {"url", service.url}});
  const Location here = co_await location_of_machine(*platform, ak_certificate);
  attest::GcaVerifier::Config config{.endpoint = service.url,
                                     .ca_file = service.ca_file,
                                     .project_id = here.project_id,
                                     .region = here.region(),
                                     .access_token = {}};
  if (is_google_api(service.url)) config.access_token = [this] { return platform->access_token(); };
  try {
    auto verifier = std::make_unique<attest::GcaVerifier>(executor, std::move(config));
    base::ServiceWait::Attempt check = [&verifier] { return verifier->check_location(); };
    if (spec.attestation.default_token) {
      co_await wait_for_verifier(std::move(check));
    } else {
      co_await note_absence(std::move(check));
    }
    net::HttpClient http(executor);
    std::vector<base::Bytes> ak_chain = co_await attest::fetch_ak_chain(http, ak_certificate);
    co_return ReachedVerifier{std::move(verifier), std::move(ak_chain)};
  } catch (const Error& error) {
    throw error.in_context("failed to create the attestation client");
  }
}

attest::ImageSignatureSource Launch::State::image_signatures(const LaunchSpec& spec, const oci::Digest& image) const {
  const std::vector<std::string>& repositories = spec.attestation.signature_repositories;
  if (repositories.empty()) return {};
  const auto signatures =
      std::make_shared<ImageSignatures>(executor, registry_access(spec.registry_auth), repositories, image);
  return [signatures](bool refresh) { return signatures->get(refresh); };
}

Awaitable<std::shared_ptr<attest::Attester>> Launch::State::measure(attest::TpmLaunch tpm_launch,
                                                                    ReachedVerifier reached, MeasuredLaunch launch,
                                                                    const LaunchSpec& spec, Claim claim) {
  std::vector<measure::Event> events = launch_events(launch);
  const auto signatures =
      spec.attestation.signature_repositories.empty() ? evidence::Signatures::kNone : evidence::Signatures::kSome;
  const std::size_t request =
      evidence::max_verify_request_bytes(tpm_launch.evidence_bytes(events, reached.ak_chain), signatures);
  expect_attestable(launch, request, signatures);
  std::unique_ptr<attest::TpmRoot> root = co_await tpm_launch.measure(std::move(events), std::move(reached.ak_chain));
  const auto principals =
      std::make_shared<Principals>(executor, *platform, options.google_ca, spec.attestation.impersonated);
  attest::Attester::Parts parts{
      .root = std::move(root),
      .verifier = std::move(reached.verifier),
      .id_tokens = [principals](std::string audience) { return principals->id_tokens(std::move(audience)); },
      .signatures = image_signatures(spec, launch.image_digest),
      .file = {}};
  if (spec.attestation.default_token) parts.file.emplace(std::move(claim));
  auto attester = std::make_shared<attest::Attester>(
      executor, std::move(parts), clock, attest::Turns::Limits{.at_once = attest::attestations_at_once(request)});
  clean_up.add("ending the attestation", [attester] { return attester->stop(); });
  co_return attester;
}

Awaitable<void> Launch::State::attest(attest::Attester& attester) {
  try {
    // Each attempt has a challenge of its own.
    base::ServiceWait::Attempt get = [&attester] { return get_first_token(attester); };
    co_await wait_for_verifier(std::move(get));
  } catch (const Error& error) {
    throw error.in_context("failed to fetch and write OIDC token", Action::kGiveUp);
  }
  attester.keep_fresh();
}

void Launch::State::open_tee_server(std::shared_ptr<attest::Attester> attester) {
  teeserver::Router router({teeserver::token_endpoint(attester->tokens(), attester->turns()),
                            teeserver::evidence_endpoint(evidence_of(*attester), attester->turns()),
                            teeserver::status_endpoint(attester->tokens())});
  auto server = std::make_shared<teeserver::Server>(executor, std::move(router));
  clean_up.add("closing the TEE server", [server, attester = std::move(attester)] { return server->stop(); });
  server->listen(options.runtime_directory);
  info("TEE server listens", {{"socket", (options.runtime_directory / teeserver::Server::kSocketName).string()}});
}

Awaitable<void> Launch::State::open_exposed_ports(std::vector<firewall::Port> ports) {
  const bool are_any = !ports.empty();
  if (are_any) begin("opening ports");
  auto opened = co_await open_ports(options.firewall_socket, std::move(ports));
  if (!opened) co_return;
  const auto connection = std::make_shared<std::optional<base::FileDescriptor>>(std::move(opened));
  clean_up.add("closing the ports", [connection]() -> Awaitable<void> {
    connection->reset();
    co_return;
  });
  if (are_any) watches.spawn(watch(warn_of_closed_ports(**connection)));
}

void Launch::State::open_metrics_server(Monitoring monitoring) {
  if (monitoring == Monitoring::kNone) return;
  auto server = std::make_shared<MetricsServer>(executor, monitoring);
  clean_up.add("closing the metrics' socket", [server] { return server->stop(); });
  server->listen(options.output.folder);
  info("metrics are shown", {{"socket", (options.output.folder / MetricsServer::kSocketName).string()},
                             {"monitoring", name_of(monitoring)}});
}

Awaitable<void> Launch::State::wait_for_verifier(base::ServiceWait::Attempt attempt) {
  base::ServiceWait wait(executor, clock, "verifier", options.wait);
  co_await wait.until(std::move(attempt));
}

/// A press asks for the end, as SIGTERM does. Further ones ask for nothing more: platforms repeat them.
void Launch::State::heed_power_buttons() {
  std::vector<base::FileDescriptor> buttons = find_power_buttons(kInputDevices);
  if (buttons.empty()) info("this machine has no power button that could be heeded");
  for (base::FileDescriptor& button : buttons) {
    watches.spawn(watch(heed(std::move(button), [this] {
      info("the power button was pressed");
      if (!stop_requested) stop();
    })));
  }
}

void Launch::State::stop() {
  const bool again = std::exchange(stop_requested, true);
  if (again) {
    workload.hurry();
  } else if (launching) {
    stopping.spawn(end_in_order());
  }
}

/// Cancel, bounded wait, hard stop: for whatever the launch is at.
Awaitable<void> Launch::State::end_in_order() {
  co_await workload.forbid_start();
  if (workload.runs()) {
    begin("the workload is asked to end");
    co_await workload.end(options.stop_grace);
  }
  // With its workload a launch ends by itself.
  if (!workload.has_ended()) launching->cancel();
  co_await launching->wait_for(kUnwindingBound);
  if (launching->has_ended()) co_return;
  base::log::warning("a step of the launch does not end, it is left behind");
  left_something_behind = true;
  launching->let_go();
}

Launch::Launch(asio::any_io_executor executor, Options options, const base::ServiceManager& service_manager)
    : state_(std::make_unique<State>(std::move(executor), std::move(options), service_manager)) {}

Launch::~Launch() = default;

Awaitable<ExitCode> Launch::run() {
  State& state = *state_;
  info("Boot completed", {{"duration_sec", base::to_seconds_text(state.clock.since_boot())}});
  info("TEE container launcher initiating");
  state.launching.emplace(state.executor, state.launch());
  if (state.stop_requested) state.stopping.spawn(state.end_in_order());
  state.heed_power_buttons();
  co_await state.launching->wait();
  const Ending ending = ending_of(state.launching->failure(), state.context, state.stop_requested);
  log_ending(ending);
  state.begin("cleaning up");
  state.service_manager.stopping();
  state.clean_up.add("ending the metrics", [&state] { return state.cloud.stop_metrics(); });
  state.clean_up.add("ending the stop", [&state] { return end(state.stopping); });
  state.clean_up.add("ending the watches", [&state] { return end(state.watches); });
  base::BoundedTask cleaning_up(state.executor, state.clean_up.run());
  co_await cleaning_up.wait_for(kCleanUpBound);
  if (!cleaning_up.has_ended()) {
    base::log::warning("cleaning up takes too long, the next launcher goes on with it",
                       {{"bound_sec", std::int64_t{kCleanUpBound.count()}}});
    state.left_something_behind = true;
  }
  info("TEE container launcher exiting",
       {{"exit_code", static_cast<int>(ending.exit_code)}, {"exit_msg", message_of(ending.exit_code)}});
  co_await state.cloud.end_log();
  co_return ending.exit_code;
}

void Launch::stop() { state_->stop(); }

bool Launch::left_something_behind() const noexcept {
  return state_->left_something_behind || state_->workload.left_something_behind();
}

}  // namespace launcher
