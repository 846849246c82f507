-- packed_buckets: token buckets of one caller that share a key. A fragment of acquire.lua, which says what is given and what
-- is to be set.
--
-- Argument: behind the kind, for each bucket '<dddBBI4': cost, capacity, whole microseconds of the emission interval, kind
--   (0 or 1, + 128 in shadow), place among the limits of the request, id of the limit; kind 1 adds '<dd', numerator and
--   denominator of the rest of the interval.
-- Key: for each bucket its id, then as a double the theoretical arrival time in microseconds; negative if it lies between
--   two microseconds and the numerator follows as one more double. Buckets that the request does not meet keep what they
--   hold. One is left out when its own key, as in token_bucket, would have expired: not before, for a clock may go back.
-- Expiry: as in token_bucket, of the latest arrival time.
-- Twin: limiter/token_bucket, for each.

-- `body` is what is stored, `head` what of it is to be kept or has been charged already, and `at` where it goes on behind
-- that. In the order of the request, as a request like it has left them, one look finds each bucket.
local body, head, at, others = type(stored) == 'string' and stored or '', '', 1, false
local size, far, far_before, changed, refused = #body, 0, 0, false, false
local from, to = 2, each and #arg - 8 or #arg
while from < to do
  local asked, capacity, interval, how, position, id
  asked, capacity, interval, how, position, id, from = decode('<dddBBI4', arg, from)
  local num, den = 0, 1
  kind, enforced = how % 128, how < 128
  if kind == 1 then num, den, from = decode('<dd', arg, from) end
  if not each then cost = asked end
  if from < to then several = true end
  fits, remaining, reset, retry = 1, 0, 0, 0

  local found, arrival, rest, start, after = nil, nil, 0, at, at
  while found ~= id do
    if size - after > 10 then
      start, rest = after, 0
      found, arrival, after = decode('<I4d', body, start)
      if arrival < 0 then
        if size - after > 6 then
          arrival, rest, after = -arrival, decode('<d', body, after)
        else
          found, size, after = nil, start - 1, start
        end
      end
    elseif at > 1 then
      -- Behind the others: from the beginning once more.
      body = head .. sub(body, at, size)
      head, at, after, size, others = '', 1, 1, #body, true
    else
      found, arrival, start, after = id, nil, after, size + 1
    end
  end
  if start > at then head, others = head .. sub(body, at, start - 1), true end

  local valid = arrival and arrival < 9007199254740992 and arrival % 1 == 0
    and rest >= 0 and rest < 9007199254740992 and rest % 1 == 0
  if valid and arrival > far_before then far_before = arrival end
  if not valid or arrival < now then arrival, rest = now, 0 end
  local clamped, charged = false, false
  --@include lib/bucket.lua
  if clamped or charged then
    head = head .. (rest > 0 and encode('<I4dd', id, -arrival, rest) or encode('<I4d', id, arrival))
    changed = true
    if arrival > far then far = arrival end
  else
    head, others = head .. sub(body, start, after - 1), true
  end
  at = after
  refused = refused or fits == 0 and enforced
  if several then
    answers = answers or {}
    answers[position] = encode('<i8i8i8i8', fits, remaining, reset, retry)
  end
end
if several then
  enforced, fits = true, refused and 0 or 1
end

if changed then
  if others or at <= size then
    body, head, at = head .. sub(body, at, size), '', 1
    size = #body
    while size - at > 10 do
      local start, us, rest, _ = at, nil, 0
      _, us, at = decode('<I4d', body, start)
      if us < 0 then
        if size - at <= 6 then break end
        us, rest, at = -us, decode('<d', body, at)
      end
      -- What a limiter could have written, and of use yet.
      if us - us % 2000000 + 4000000 > now and us < 9007199254740992 and rest >= 0 then
        head = head .. sub(body, start, at - 1)
        if us > far then far = us end
      end
    end
  end
  local pair = far - far % 2000000
  if not charging then
    call('SET', keys[i], head, 'PXAT', format('%d', pair / 1000 + 4000))
  elseif pair == far_before - far_before % 2000000 then
    value, expires = head, 'KEEPTTL'
  else
    value, expires = head, format('%d', pair / 1000 + 4000)
  end
end
