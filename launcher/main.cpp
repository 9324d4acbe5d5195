#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <functional>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "base/core_dumps.h"
#include "base/log.h"
#include "base/service_manager.h"
#include "launcher/launch.h"
#include "launcher/options.h"
#include "launcher/outcome.h"

namespace {

using launcher::ExitCode;

/// For the last handlers of a launch that has ended.
constexpr std::chrono::seconds kLastHandlersBound{2};

void log_panic(const char* text) { base::log::error("Panic", {{"error", text}}); }

/// A handler that throws is a bug: the launch is asked to end then, and cleans up.
void run_to_the_end(asio::io_context& context, launcher::Launch& launch, bool& went_well) {
  for (;;) {
    try {
      context.run();
      return;
    } catch (const std::exception& error) {
      log_panic(error.what());
    }
    if (std::exchange(went_well, false)) launch.stop();
  }
}

/// Runs the launch on this thread.
ExitCode run(const launcher::Options& options) {
  asio::io_context context(1);
  base::ServiceManager service_manager(context.get_executor());
  launcher::Launch launch(context.get_executor(), options, service_manager);
  asio::signal_set signals(context, SIGTERM, SIGINT);
  std::function<void(const boost::system::error_code&, int)> on_signal = [&](const auto& cancelled, int) {
    if (cancelled) return;
    launch.stop();
    signals.async_wait(on_signal);
  };
  signals.async_wait(on_signal);
  base::TaskGroup signs_of_life(context.get_executor());
  signs_of_life.spawn(service_manager.keep_alive());
  asio::post(context, [&service_manager] { service_manager.ready(); });
  ExitCode result = ExitCode::kPanic;
  bool went_well = true;
  asio::co_spawn(context, launch.run(), [&](const std::exception_ptr& failure, ExitCode code) {
    if (!failure && went_well) result = code;
    // Threads that hang would be waited for otherwise.
    if (launch.left_something_behind()) std::_Exit(static_cast<int>(result));
    signals.cancel();
    signs_of_life.cancel();
    context.stop();
  });
  run_to_the_end(context, launch, went_well);
  context.restart();
  context.run_for(kLastHandlersBound);
  // There is nothing more to wait for. If there is, that is a bug, and no reason to keep the machine.
  if (!context.stopped()) {
    base::log::warning("something is still at work behind the launch's end, it is left behind");
    std::_Exit(static_cast<int>(result));
  }
  return went_well ? result : ExitCode::kPanic;
}

}  // namespace

int main(int argc, char** argv) {
  // The TPM stack prints what its callers get as errors anyway; the log is one event a line.
  static_cast<void>(::setenv("TSS2_LOG", "all+NONE", 0));
  int exit_code = 0;
  try {
    base::forbid_core_dumps();
    const auto options = launcher::parse_options(argc, argv, launcher::credentials_directory(), exit_code);
    if (!options) return exit_code;
    base::log::start(options->log_level);
    static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
    // gRPC's tracing prints whole messages, and with them the values of environment variables.
    for (const char* name : {"GRPC_TRACE", "GRPC_VERBOSITY"}) static_cast<void>(::unsetenv(name));
    return static_cast<int>(run(*options));
  } catch (const std::exception& error) {
    log_panic(error.what());
    return static_cast<int>(ExitCode::kPanic);
  }
}
