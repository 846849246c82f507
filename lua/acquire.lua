-- acquire: decides all limits of one request in one step, and charges every one of them or none.
--
-- KEYS[i]      where limit i keeps its counter; no key twice
-- ARGV[i]      limit i, packed as struct '<Bddd…':
--                kind    the algorithm: 0 token bucket with a whole emission interval, 1 with a fractional one, 2 fixed window,
--                        3 window of the clock, 4 of a calendar, 5 sliding window, 6 sliding counter, 7 sliding log,
--                        8 periodic bucket, 9 concurrency, 10 token buckets that share the key: several limits, of which
--                        lib/packed_buckets.lua says what follows
--                        + 64 one more double at the end: so many requests alike ask; only in a call with one key
--                        + 128 in shadow
--                cost    permits asked for; 0 only looks
--                then the parameters of the algorithm, one at the least: see lua/lib/
-- ARGV[n + 1]  microseconds since the epoch to decide by, for tests only; without it the server's own clock
--
-- Reply: one bulk string of little-endian int64: now_us, granted (to how many requests; 0: refused), then for each limit, in
--        order (limits that share a key say where they stand), allowed (0 or 1), remaining (permits), reset_us, retry_us
--        (-1: this cost can never pass).
--
-- Invariants:
--   A limit in shadow neither refuses the request nor has to allow it; it is charged only if it allows.
--   A refused request writes nothing, except once to bring back into range a counter that a clock set back or a lowered
--   limit has left too far ahead (a repair: it changes no answer).
--   Charges come after all decisions, and no content of a key can make one fail halfway: INCRBY and APPEND are chosen only
--   where the key has been seen to hold what they need, everything else is SET or DEL.
--   Of several requests alike as many are granted as fit, by one charge.
--   What no limiter wrote counts as an untouched counter: another type, text that is no number, a number out of range.
--   Every number stays below 2^53; none becomes text except through %d.
--
-- The twin in C++: limiter/evaluate and limiter/algorithm, which give the same answer to the bit.

local keys, args, call, decode, encode = KEYS, ARGV, redis.call, struct.unpack, struct.pack
local format, number, sub, floor = string.format, tonumber, string.sub, math.floor

local n = #keys
local now = args[n + 1]
if now then
  now = number(now)
else
  local t = call('TIME')
  now = t[1] * 1000000 + t[2]
end

-- For several limits: what the keys hold, each replaced by what it is to hold; the new expiries.
local states, expiries
if n > 1 then states, expiries = call('MGET', unpack(keys)), {} end

local charging, answers, granted = true, n > 1 and {}, 1
local place, alike, each = 0
local fits, remaining, reset, retry, value, expires, several
local i = 0
while i < n do
  i = i + 1
  local arg, stored = args[i]
  if n > 1 then
    stored = states[i]
  else
    -- pcall: a key of another type reads as an error table, which is no number either. Whatever else goes wrong, such as a
    -- missing right to read, must not pass for an untouched counter.
    stored = redis.pcall('GET', keys[1])
    if type(stored) == 'table' and sub(stored.err, 1, 9) ~= 'WRONGTYPE' then return stored end
  end
  local kind, cost, p1, p2 = decode('<Bddd', arg)
  local enforced = kind < 128
  if not enforced then kind = kind - 128 end
  if kind > 63 then
    kind = kind - 64
    if each then
      -- The second turn: charges those that fit, or refuses one.
      cost = granted > 0 and granted * each or each
    else
      alike, each, cost = decode('<d', arg, #arg - 7), cost, 0
    end
  end

  -- Set by the fragment: the decision; and if it charges, the new value with its expiry in ms or 'KEEPTTL', 'APPEND' or 'DEL',
  -- or without an expiry the increment that makes it. `several`: it has added more answers than one.
  fits, remaining, reset, retry, value, expires, several = 1, 0, 0, 0, nil, nil, false
  if kind < 2 then
    --@include lib/token_bucket.lua
  elseif kind < 5 then
    --@include lib/fixed_window.lua
  elseif kind == 5 then
    --@include lib/sliding_window.lua
  elseif kind == 6 then
    --@include lib/sliding_counter.lua
  elseif kind == 7 then
    --@include lib/sliding_log.lua
  elseif kind == 8 then
    --@include lib/periodic_bucket.lua
  elseif kind == 9 then
    --@include lib/concurrency.lua
  else
    --@include lib/packed_buckets.lua
  end

  if alike then
    granted = alike
    if each * alike > remaining then granted = floor(remaining / each) end
    alike, i = nil, 0
  elseif fits == 0 and enforced and charging then
    charging, granted = false, 0
    -- Look again at those that passed: they are told their state without the charge.
    if n > 1 then states = call('MGET', unpack(keys)) end
    if n > 1 or several then answers, place, i = {}, 0, 0 end
  elseif n > 1 then
    states[i] = value
    if expires then expiries[i] = expires end
    if not several then
      -- The next place that no limit of a shared key has taken.
      repeat place = place + 1 until not answers[place]
      answers[place] = encode('<i8i8i8i8', fits, remaining, reset, retry)
    end
  end
end

if n == 1 then
  local key = keys[1]
  --@include lib/charge.lua
  if not several then return encode('<i8i8i8i8i8i8', now, granted, fits, remaining, reset, retry) end
end
if charging and n > 1 then
  for k = 1, n do
    local key = keys[k]
    value, expires = states[k], expiries[k]
    --@include lib/charge.lua
  end
end
return encode('<i8i8', now, granted) .. table.concat(answers)
