#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "base/asio.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/service_manager.h"
#include "measure/boot_log.h"
#include "net/http_server.h"
#include "verifier/reference/reference_values.h"
#include "verifier/service/api.h"
#include "verifier/service/config.h"
#include "verifier/service/startup_check.h"

namespace {

constexpr base::Milliseconds kStopGrace{5000};
/// Requests that come in at the same time: some of the largest, and hundreds of real ones, which are below 100 KiB.
constexpr std::size_t kMaxBufferedBytes = 4 * verifier::kMaxRequestBytes;
const std::map<std::string, base::log::Level> kLogLevels = {{"debug", base::log::Level::kDebug},
                                                            {"info", base::log::Level::kInfo},
                                                            {"warning", base::log::Level::kWarning},
                                                            {"error", base::log::Level::kError}};

struct ServeOptions {
  std::string config;
  std::string log_level = "info";
};

struct ReferenceOptions {
  std::string boot_log;
  std::string name;
  std::uint64_t swversion = 0;
  bool hardened = false;
  std::vector<std::string> support_attributes;
};

/// Returns where the service listens, for people and for tests.
std::string listen(net::HttpServer& server, const verifier::ListenConfig& config) {
  std::optional<net::HttpServerTls> tls;
  if (config.tls) tls = {config.tls->certificate, config.tls->private_key};
  const std::uint16_t port = server.listen_tcp(config.address, config.port, tls, config.trusted_proxies);
  const bool is_ipv6 = config.address.find(':') != std::string::npos;
  return std::string(config.tls ? "https" : "http") + "://" + (is_ipv6 ? "[" + config.address + "]" : config.address) +
         ":" + std::to_string(port);
}

base::Awaitable<void> stop_on_signal(net::HttpServer& server, const base::ServiceManager& service_manager) {
  asio::signal_set signals(co_await asio::this_coro::executor, SIGTERM, SIGINT);
  const int number = co_await signals.async_wait(asio::use_awaitable);
  base::log::info("stopping", {{"signal", number}});
  service_manager.stopping();
  co_await server.stop(kStopGrace);
}

void serve(const ServeOptions& options) {
  const verifier::Config config = verifier::Config::load(options.config);
  verifier::expect_tls_key(config.listen);
  verifier::Knowledge knowledge = verifier::Knowledge::load(config);
  const base::Clock clock = base::Clock::system();
  for (const std::string& warning :
       verifier::startup_warnings(config.listen, knowledge.reference_values, clock.wall())) {
    base::log::warning(warning);
  }
  base::log::info("ready to appraise", {{"issuer", config.issuer},
                                        {"images", std::to_string(knowledge.reference_values.size())},
                                        {"key_id", knowledge.oidc_signer.active_key_id()}});
  verifier::Api api(config, std::move(knowledge), clock);
  asio::io_context context(1);
  base::ServiceManager service_manager(context.get_executor());
  net::HttpServer server(
      context.get_executor(), [&api](const net::HttpServerRequest& request) { return api.handle(request); },
      {.max_body_bytes = verifier::kMaxRequestBytes, .max_buffered_bytes = kMaxBufferedBytes},
      [&api](const net::HttpServerRequest& head) { return api.admit(head); });
  const std::string url = listen(server, config.listen);
  base::TaskGroup signs_of_life(context.get_executor());
  signs_of_life.spawn(service_manager.keep_alive());
  asio::post(context, [&service_manager] { service_manager.ready(); });
  asio::co_spawn(context, stop_on_signal(server, service_manager), [&](const std::exception_ptr& failure) {
    signs_of_life.cancel();
    if (failure) std::rethrow_exception(failure);
  });
  base::log::info("listening", {{"url", url}});
  context.run();
  base::log::info("stopped");
}

void print_reference_value(const ReferenceOptions& options) {
  if (!base::is_utf8(options.name)) throw base::InvalidInput("--name", "is not UTF-8");
  const auto log = measure::decode_boot_log(base::read_file(options.boot_log, measure::kMaxBootLogBytes));
  if (log.events.empty()) throw base::InvalidInput("boot event log", "is empty");
  verifier::ReferenceValue value = verifier::reference_value_of(log);
  value.name = options.name;
  value.swversion = options.swversion;
  value.hardened = options.hardened;
  value.support_attributes = options.support_attributes;
  const base::Json entry = value.to_json();
  // What `serve` would refuse is not worth printing.
  verifier::ReferenceValues::parse(base::Json{{"images", {entry}}}.dump(), "reference value");
  constexpr int kIndent = 2;
  std::cout << entry.dump(kIndent) << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("An attestation service for Confidential Space");
  app.require_subcommand(1);
  ServeOptions serve_options;
  auto* serve_command = app.add_subcommand("serve", "Answer challenges and verify evidence");
  serve_command->add_option("--config", serve_options.config, "Configuration, a JSON file")->required();
  serve_command->add_option("--log-level", serve_options.log_level)->check(CLI::IsMember(kLogLevels));
  ReferenceOptions reference_options;
  auto* reference_command = app.add_subcommand("reference-value", "Print the entry of the image that wrote a boot log");
  reference_command->add_option("--boot-log", reference_options.boot_log, "binary_bios_measurements")->required();
  reference_command->add_option("--name", reference_options.name)->required();
  reference_command->add_option("--swversion", reference_options.swversion, "Such as 260100")
      ->required()
      ->check(base::why_no_whole_number);
  reference_command->add_option("--hardened", reference_options.hardened, "true or false")
      ->required()
      ->check(CLI::IsMember({"true", "false"}));
  reference_command->add_option("--support-attributes", reference_options.support_attributes)
      ->delimiter(',')
      ->check(CLI::IsMember({"LATEST", "STABLE", "USABLE", "EXPERIMENTAL"}));
  app.failure_message(
      [](const CLI::App*, const CLI::Error& error) { return base::log::one_line(error.what()) + '\n'; });
  CLI11_PARSE(app, argc, argv);
  base::log::start(kLogLevels.at(serve_options.log_level));
  try {
    if (serve_command->parsed()) serve(serve_options);
    if (reference_command->parsed()) print_reference_value(reference_options);
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    base::log::error("cs-verifier failed", {{"error", error.what()}});
    return EXIT_FAILURE;
  }
}
