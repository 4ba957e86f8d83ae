// Walking a network by the names of its fields: parameters, children, addresses. A layer lists what it owns in
//   static constexpr auto fields = Fields{field<"conv1">(&Block::conv1), ...};
// and everything else (saving, optimisers, explainers' targets, error paths) follows from that list.
#pragma once

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "limn/core/names.hpp"
#include "limn/core/random.hpp"
#include "limn/nn/parameter.hpp"

namespace limn {

/// Tells layer types apart at run time, without RTTI.
using TypeId = const void*;
namespace detail {
template <class T>
inline constexpr char type_tag = 0;
}
template <class T>
[[nodiscard]] constexpr TypeId type_id() {
  return &detail::type_tag<T>;
}

/// The layer lists its members in `fields`.
template <class L>
constexpr bool lists_its_fields = requires {
  requires is_fields<std::remove_cvref_t<decltype(L::fields)>>;
};
namespace detail {
struct WithFields {
  int fields;
};
template <class L>
struct Both : L, WithFields {};
/// L has something called `fields`, even if the compiler already refused what stands there: then the name is ambiguous.
template <class L>
constexpr bool names_fields = !requires {
  &Both<L>::fields;
};
/// L has a list of another kind: a std::tuple, say.
template <class L>
constexpr bool lists_otherwise = requires {
  sizeof(L::fields);
};
}  // namespace detail

/// The message for a layer that does not list its members; given once, however often it is asked.
template <class L>
constexpr void must_list_its_fields() {
  if constexpr (!lists_its_fields<L>)
    static_assert(detail::names_fields<L> && !detail::lists_otherwise<L>,
                  "limn: this layer does not list its members: it needs "
                  "static constexpr auto fields = Fields{field<\"name\">(&Layer::member), ...}");
}

namespace detail {

template <class T>
struct IsParameter : std::false_type {};
template <Backend B>
struct IsParameter<Parameter<B>> : std::true_type {
  using backend = B;
};
template <class T>
struct IsBuffer : std::false_type {};
template <Backend B>
struct IsBuffer<Buffer<B>> : std::true_type {};

}  // namespace detail

template <class T>
constexpr bool is_parameter = detail::IsParameter<std::remove_cv_t<T>>::value;
template <class T>
constexpr bool is_buffer = detail::IsBuffer<std::remove_cv_t<T>>::value;

namespace detail {

struct Member;
/// What is known of a member without its type: enough to walk a network with one loop instead of one per layer type.
struct MemberType {
  enum class Kind { layer, parameter, buffer, counter } kind = Kind::layer;
  TypeId id = nullptr;
  void (*members)(void* layer, std::vector<Member>& out) = nullptr;
  void (*initialise)(void* layer, Random& random) = nullptr;
};
struct Member {
  std::string name;
  void* address;
  const MemberType* type;
};

[[gnu::cold, gnu::noinline]] inline void add_member(std::vector<Member>& to, std::string_view name, void* address,
                                                    const MemberType& type) {
  to.push_back({std::string(name), address, &type});
}
[[nodiscard]] inline std::vector<Member> members_of(const Member& layer) {
  std::vector<Member> out;
  layer.type->members(layer.address, out);
  return out;
}

template <class T>
struct TypeOf;

template <class L, class... F>
void add_members(L& layer, const Fields<F...>& fields, std::vector<Member>& out) {
  (add_member(out, F::name, &(layer.*(static_cast<const F&>(fields).pointer)), TypeOf<typename F::member>::value), ...);
}
template <class T>
constexpr MemberType make_type() {
  if constexpr (is_parameter<T>) {
    return {MemberType::Kind::parameter, type_id<T>()};
  } else if constexpr (is_buffer<T>) {
    return {std::is_same_v<T, Counter> ? MemberType::Kind::counter : MemberType::Kind::buffer, type_id<T>()};
  } else if constexpr (requires(T & layer, Random & random) { layer.initialise(random); }) {
    return {MemberType::Kind::layer, type_id<T>(), TypeOf<T>::members, TypeOf<T>::initialise};
  } else {
    return {MemberType::Kind::layer, type_id<T>(), TypeOf<T>::members};
  }
}

template <class T>
struct TypeOf {
  [[gnu::cold]] static void members(void* address, std::vector<Member>& out) {
    T& layer = *static_cast<T*>(address);
    if constexpr (lists_its_fields<T>) {
      add_members(layer, T::fields, out);
    } else {
      must_list_its_fields<T>();
    }
  }
  [[gnu::cold]] static void initialise(void* layer, Random& random) { static_cast<T*>(layer)->initialise(random); }

  static constexpr MemberType value = make_type<T>();
};

inline void initialise_member(const Member& layer, Seed seed) {
  for (Member& m : members_of(layer)) {
    if (m.type->kind != MemberType::Kind::layer) continue;
    if (!layer.name.empty()) m.name = layer.name + "." + m.name;
    initialise_member(m, seed);
  }
  if (layer.type->initialise != nullptr) {  // after its parts, so that it has the last word
    Random random(seed, layer.name);
    layer.type->initialise(layer.address, random);
  }
}

inline void collect_leaves(const Member& layer, std::vector<Member>& out) {
  for (Member& m : members_of(layer)) {
    if (!layer.name.empty()) m.name = layer.name + "." + m.name;
    if (m.type->kind == MemberType::Kind::layer) {
      collect_leaves(m, out);
    } else {
      out.push_back(std::move(m));
    }
  }
}

/// The path from a layer to a layer inside it, by address and type. "?" if it is not there.
inline std::string path_to(const Member& layer, const void* child, TypeId child_type) {
  for (const Member& m : members_of(layer)) {
    if (m.type->kind != MemberType::Kind::layer) continue;
    if (m.address == child && m.type->id == child_type) return m.name;
    if (const std::string deeper = path_to(m, child, child_type); deeper != "?") return m.name + "." + deeper;
  }
  return "?";
}

template <class L>
void* address_of(const L& layer) {
  return const_cast<L*>(&layer);  // walked only; written to by those who were given a layer they may change
}

}  // namespace detail

/// Draws the initial parameters: every layer that has `initialise(Random&)` gets a stream keyed by its path.
template <class L>
void initialise(L& layer, Seed seed) {
  detail::initialise_member({"", &layer, &detail::TypeOf<L>::value}, seed);
}

namespace detail {

template <class L>
constexpr auto find_backend();

template <class M>
struct BackendOf {
  using type = decltype(find_backend<M>());
};
template <Backend B>
struct BackendOf<Parameter<B>> {
  using type = B;
};
template <Backend B>
struct BackendOf<Buffer<B>> {
  using type = void;
};

struct None {};
template <class... T>
struct FirstBackend {
  using type = None;
};
template <class T, class... Rest>
struct FirstBackend<T, Rest...> {
  using mine = typename BackendOf<T>::type;
  using type = std::conditional_t<std::is_void_v<mine> || std::is_same_v<mine, None>,
                                  typename FirstBackend<Rest...>::type, mine>;
};

template <class L>
constexpr auto find_backend() {
  if constexpr (lists_its_fields<L>) {
    return []<class... F>(std::type_identity<Fields<F...>>) {
      return typename FirstBackend<typename F::member...>::type{};
    }(std::type_identity<std::remove_cvref_t<decltype(L::fields)>>{});
  } else {
    must_list_its_fields<L>();
    return None{};
  }
}

}  // namespace detail

/// The layer owns no tensor, so it has no back end of its own.
template <class L>
constexpr bool without_backend = std::is_same_v<decltype(detail::find_backend<L>()), detail::None>;

/// The back end of a network: that of its first parameter; Cpu where it has none.
template <class L>
using backend_of = std::conditional_t<without_backend<L>, Cpu, decltype(detail::find_backend<L>())>;

/// One parameter, buffer or counter of a network; the other two pointers are null. The path is as torchvision writes
/// it.
template <Backend B>
struct Leaf {
  std::string path;
  Parameter<B>* parameter = nullptr;
  Buffer<B>* buffer = nullptr;
  Counter* counter = nullptr;
};

/// Everything a network owns, in order.
template <class L, Backend B = backend_of<L>>
[[nodiscard]] std::vector<Leaf<B>> leaves(const L& layer) {
  std::vector<detail::Member> found;
  detail::collect_leaves({"", detail::address_of(layer), &detail::TypeOf<L>::value}, found);
  std::vector<Leaf<B>> out;
  for (detail::Member& m : found) {
    using Kind = detail::MemberType::Kind;
    Leaf<B> leaf{std::move(m.name)};
    if (m.type->kind == Kind::parameter) leaf.parameter = static_cast<Parameter<B>*>(m.address);
    if (m.type->kind == Kind::buffer) leaf.buffer = static_cast<Buffer<B>*>(m.address);
    if (m.type->kind == Kind::counter) leaf.counter = static_cast<Counter*>(m.address);
    out.push_back(std::move(leaf));
  }
  return out;
}

/// A parameter with its path.
template <Backend B>
struct NamedParameter {
  std::string path;
  Parameter<B>* parameter;
};

template <class L>
[[nodiscard]] std::vector<NamedParameter<backend_of<L>>> parameters(L& layer) {
  std::vector<NamedParameter<backend_of<L>>> out;
  for (auto& leaf : leaves(layer))
    if (leaf.parameter != nullptr) out.push_back({std::move(leaf.path), leaf.parameter});
  return out;
}

/// Number of trained numbers.
template <class L>
[[nodiscard]] Index parameter_count(const L& layer) {
  Index count = 0;
  for (const auto& leaf : leaves(layer))
    if (leaf.parameter != nullptr) count += leaf.parameter->size();
  return count;
}

namespace detail {
template <class L, class... F>
consteval Index count_parameters(const Fields<F...>&);
template <class M>
consteval Index count_in_member() {
  if constexpr (is_parameter<M> || is_buffer<M>) {
    return 0;  // counted by their owner
  } else {
    return count_parameters<M>(M::fields);
  }
}
template <class L, class... F>
consteval Index count_parameters(const Fields<F...>&) {
  Index count = (Index{0} + ... + count_in_member<typename F::member>());
  if constexpr (requires { L::own_parameters; }) {
    count += L::own_parameters;
  } else {
    static_assert(!(is_parameter<typename F::member> || ...),
                  "limn: parameter_count: this layer does not say how many parameters it owns: it needs "
                  "static constexpr Index own_parameters = ...");
  }
  return count;
}
}  // namespace detail

/// The same of a type, known to the compiler: static_assert(parameter_count<ResNet18<Cpu, 3, 1000>>() == 11689512).
/// Layers that own parameters say how many: static constexpr Index own_parameters.
template <class L>
[[nodiscard]] consteval Index parameter_count() {
  return detail::count_parameters<L>(L::fields);
}

}  // namespace limn
