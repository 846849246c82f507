-- charge: carries out what a fragment of acquire.lua has set: `value` and `expires`, for `key`. Nothing set, nothing written.

if expires then
  if expires == 'KEEPTTL' then
    call('SET', key, value, 'KEEPTTL')
  elseif expires == 'APPEND' then
    call('APPEND', key, value)
  elseif expires == 'DEL' then
    call('DEL', key)
  else
    call('SET', key, value, 'PXAT', expires)
  end
elseif value then
  call('INCRBY', key, value)
end
