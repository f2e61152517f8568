// Small ways that all parts of the page share.
export const ORDERS = "/api/v1/work-orders";
export const byId = (id) => document.getElementById(id);

/** Make an element with properties and children. */
export function make(tag, properties = {}, ...children) {
  const { dataset, ...plain } = properties;
  const made = Object.assign(document.createElement(tag), plain);
  Object.assign(made.dataset, dataset ?? {});
  made.append(...children.filter((each) => each !== null && each !== undefined && each !== false));
  return made;
}

const CLOCK = new Intl.DateTimeFormat("zh-CN", {
  timeZone: "Asia/Shanghai", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hour12: false,
});
export const moment = (text) => (text ? CLOCK.format(new Date(text)) : "—");

/** Say a length of time as people do. */
export function length(minutes) {
  const whole = Math.abs(minutes);
  if (whole < 60) return `${Math.round(whole)} 分钟`;
  if (whole < 2880) return `${Math.round(whole / 6) / 10} 小时`;
  return `${Math.round(whole / 144) / 10} 天`;
}

/** Say how far away a limit is. */
export function left(due) {
  if (!due) return "";
  const minutes = (new Date(due) - Date.now()) / 60_000;
  return minutes < 0 ? `超 ${length(minutes)}` : `剩 ${length(minutes)}`;
}

/** Say a distance as people do. */
export const metres = (number) => (number < 1000 ? `${Math.round(number)} 米` : `${(number / 1000).toFixed(1)} 公里`);

/** Ask the phone where it is; throws what is to be said when it does not tell. */
export function locate() {
  return new Promise((found, failed) => {
    if (!navigator.geolocation) return failed({ detail: "这台设备不能定位。" });
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => found({ longitude: coords.longitude, latitude: coords.latitude, accuracy: coords.accuracy }),
      () => failed({ detail: "无法定位，请在手机设置中允许定位后重试。" }),
      { enableHighAccuracy: true, timeout: 8000 },
    );
  });
}
