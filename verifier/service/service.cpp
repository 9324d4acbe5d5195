#include "verifier/service/service.h"

#include <csignal>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "base/asio.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/service_manager.h"
#include "net/http_server.h"
#include "verifier/service/api.h"
#include "verifier/service/appraisers.h"
#include "verifier/service/issue_token.h"
#include "verifier/service/knowledge.h"
#include "verifier/service/startup_check.h"

namespace verifier {
namespace {

constexpr base::Milliseconds kStopGrace{5000};
/// Requests that come in at the same time: some of the largest, and hundreds of real ones, which are below 100 KiB.
constexpr std::size_t kMaxBufferedBytes = 4 * kMaxRequestBytes;
constexpr net::HttpServerLimits kLimits{.max_body_bytes = kMaxRequestBytes, .max_buffered_bytes = kMaxBufferedBytes};

/// All that the configuration leads to, read and checked.
struct Loaded {
  std::shared_ptr<const Knowledge> knowledge;
  std::optional<net::HttpServerCertificate> certificate;
  std::vector<std::string> warnings;

  static Loaded from(Config config, SigningKeys keys) {
    expect_tls_key(config.listen);
    Loaded loaded;
    if (config.listen.tls) {
      loaded.certificate =
          net::HttpServerCertificate::load({config.listen.tls->certificate, config.listen.tls->private_key});
    }
    loaded.knowledge = std::make_shared<const Knowledge>(Knowledge::load(std::move(config), std::move(keys)));
    loaded.warnings = startup_warnings(loaded.knowledge->config.listen, loaded.knowledge->reference_values,
                                       base::Clock::system().wall());
    return loaded;
  }

  /// For a service that runs with `old`.
  static Loaded again(const std::filesystem::path& file, const Config& old) {
    Config config = Config::load(file);
    expect_unchanged(config, old);
    SigningKeys keys = SigningKeys::read(config.state_directory);
    return from(std::move(config), std::move(keys));
  }
};

void log_loaded(std::string_view message, const Loaded& loaded) {
  for (const std::string& warning : loaded.warnings) base::log::warning(warning);
  const Knowledge& knowledge = *loaded.knowledge;
  base::log::info(message, {{"issuer", knowledge.config.issuer},
                            {"images", std::to_string(knowledge.reference_values.size())},
                            {"key_id", knowledge.oidc_signer.active_key_id()}});
}

class Service {
 public:
  Service(asio::io_context& context, const ServeOptions& options, const Loaded& loaded)
      : executor_(context.get_executor()),
        config_file_(options.config),
        service_manager_(executor_),
        appraisers_(executor_, options.threads),
        api_(loaded.knowledge, clock_, appraisers_),
        server_(
            executor_, [this](net::HttpServerRequest& request) { return api_.handle(request); }, kLimits,
            [this](const net::HttpServerRequest& head) { return api_.admit(head); }),
        signs_of_life_(executor_),
        reloads_(executor_) {}

  /// Where it listens, for people and for tests.
  std::string listen(const std::optional<net::HttpServerCertificate>& certificate) {
    const ListenConfig& config = api_.knowledge().config.listen;
    const std::uint16_t port = server_.listen_tcp(config.address, config.port, certificate, config.trusted_proxies);
    const bool is_ipv6 = config.address.find(':') != std::string::npos;
    return std::string(config.tls ? "https" : "http") + "://" +
           (is_ipv6 ? "[" + config.address + "]" : config.address) + ":" + std::to_string(port);
  }

  base::Awaitable<void> run(asio::signal_set& signals) {
    signs_of_life_.spawn(service_manager_.keep_alive());
    service_manager_.ready();
    for (;;) {
      const int number = co_await signals.async_wait(asio::use_awaitable);
      if (number != SIGHUP) {
        base::log::info("stopping", {{"signal", number}});
        break;
      }
      ask_for_reload();
    }
    service_manager_.stopping();
    stopping_ = true;
    reloads_.cancel();
    co_await server_.stop(kStopGrace);
    signs_of_life_.cancel();
  }

  /// Whether a thread may still be reading: the process must then end without waiting for it.
  bool left_something_behind() const noexcept { return reloading_; }

 private:
  /// Who asks while a reload is under way gets another one behind it: the files may have changed since.
  void ask_for_reload() {
    asked_again_ = true;
    if (!std::exchange(reloading_, true)) reloads_.spawn(reload_as_asked());
  }

  base::Awaitable<void> reload_as_asked() {
    do {
      asked_again_ = false;
      co_await reload();
    } while (asked_again_);
    reloading_ = false;
  }

  /// Reads on a thread of its own, since files may be many and making sure of keys takes long.
  base::Awaitable<void> reload() {
    service_manager_.reloading();
    auto load = [file = config_file_, old = api_.knowledge().config] { return Loaded::again(file, old); };
    const auto no_deadline = [] { return base::Error("reading takes too long"); };
    try {
      const Loaded loaded = co_await base::run_on_own_thread(kReloadPatience, std::move(load), no_deadline);
      if (loaded.certificate) server_.use(*loaded.certificate);
      api_.use(loaded.knowledge);
      log_loaded("reloaded", loaded);
    } catch (const std::exception& error) {
      if (stopping_) throw;
      base::log::error("reload failed, nothing has changed", {{"error", error.what()}});
    }
    service_manager_.ready();
  }

  static constexpr base::Milliseconds kReloadPatience{60000};

  asio::any_io_executor executor_;
  std::filesystem::path config_file_;
  base::Clock clock_ = base::Clock::system();
  base::ServiceManager service_manager_;
  Appraisers appraisers_;
  Api api_;
  net::HttpServer server_;
  base::TaskGroup signs_of_life_;
  base::TaskGroup reloads_;
  bool reloading_ = false;
  bool asked_again_ = false;
  bool stopping_ = false;
};

}  // namespace

void serve(const ServeOptions& options) {
  asio::io_context context(1);
  asio::signal_set signals(context, SIGTERM, SIGINT, SIGHUP);  // from the start on: those that come early are kept
  Config config = Config::load(options.config);
  SigningKeys keys = SigningKeys::open(config.state_directory);
  Loaded loaded = Loaded::from(std::move(config), std::move(keys));
  log_loaded("ready to appraise", loaded);
  Service service(context, options, loaded);
  const std::string url = service.listen(loaded.certificate);
  asio::co_spawn(context, service.run(signals), [](const std::exception_ptr& failure) {
    if (failure) std::rethrow_exception(failure);
  });
  loaded = {};  // a reload sets free what it replaces
  base::log::info("listening", {{"url", url}});
  context.run();
  base::log::info("stopped");
  if (service.left_something_behind()) std::_Exit(EXIT_SUCCESS);
}

}  // namespace verifier
