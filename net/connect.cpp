#include "net/connect.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "base/timer.h"

namespace net {
namespace {

using asio::ip::tcp;
using base::TimePoint;
using boost::system::error_code;

/// Attempts that are under way. Their handlers hold it, so it outlives whoever has started them.
struct Race : std::enable_shared_from_this<Race> {
  explicit Race(const asio::any_io_executor& e) : executor(e), news(e) {}

  void start(const tcp::endpoint& endpoint) {
    tcp::socket& socket = sockets.emplace_back(executor);
    ++under_way;
    socket.async_connect(endpoint, [race = shared_from_this(), index = sockets.size() - 1](const error_code& failure) {
      race->end(index, failure);
    });
  }

  void end(std::size_t index, const error_code& failure) {
    --under_way;
    if (!failure && !winner) winner = index;
    if (failure && !first_failure) first_failure = failure;
    news.set();
  }

  void close_all() {
    error_code ignored;
    for (tcp::socket& socket : sockets) socket.close(ignored);
  }

  asio::any_io_executor executor;
  base::Event news;
  std::vector<tcp::socket> sockets;  ///< never grows beyond what was reserved: handlers are at work in them
  std::size_t under_way = 0;
  std::optional<std::size_t> winner;
  error_code first_failure;
};

}  // namespace

std::vector<tcp::endpoint> by_turns(const std::vector<tcp::endpoint>& endpoints) {
  std::vector<tcp::endpoint> first;
  std::vector<tcp::endpoint> second;
  for (const tcp::endpoint& endpoint : endpoints) {
    (endpoint.protocol() == endpoints.front().protocol() ? first : second).push_back(endpoint);
  }
  std::vector<tcp::endpoint> order;
  for (std::size_t i = 0; i < std::max(first.size(), second.size()) && order.size() < kMaxAddresses; ++i) {
    if (i < first.size()) order.push_back(first[i]);
    if (i < second.size()) order.push_back(second[i]);
  }
  return order;
}

base::Awaitable<Connected> connect_any(std::vector<tcp::endpoint> endpoints, TimePoint end) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const base::TimeService& time = base::TimeService::of(executor);
  const std::vector<tcp::endpoint> order = by_turns(endpoints);
  const auto race = std::make_shared<Race>(executor);
  race->sockets.reserve(order.size());
  // Whatever ends this ends the attempts.
  const std::shared_ptr<void> leave(nullptr, [race](void*) { race->close_all(); });
  std::size_t next = 0;
  while (!race->winner && time.now() < end) {
    race->news.clear();
    base::Milliseconds pause = std::chrono::ceil<base::Milliseconds>(end - time.now());
    if (next < order.size()) {
      race->start(order[next++]);
      if (next < order.size()) pause = std::min(pause, kAttemptDelay);
    } else if (race->under_way == 0) {
      break;
    }
    co_await race->news.wait_for(pause);
    const auto cancelled = (co_await asio::this_coro::cancellation_state).cancelled();
    if (cancelled != asio::cancellation_type::none) throw boost::system::system_error(asio::error::operation_aborted);
  }
  if (race->winner) {
    Connected connected{std::move(race->sockets[*race->winner]), {}};
    co_return connected;
  }
  Connected none{tcp::socket(executor), asio::error::timed_out};
  if (order.empty()) none.code = asio::error::host_not_found;
  if (race->first_failure && race->under_way == 0) none.code = race->first_failure;
  co_return none;
}

}  // namespace net
