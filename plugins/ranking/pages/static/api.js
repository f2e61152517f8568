// Addresses, and how points and months are written on all parts of the page.
export const CHARGES = "/api/v1/assessment-charges";
export const APPEALS = "/api/v1/assessment-appeals";
export const STATEMENTS = "/api/v1/assessment-statements";

const MONTH = new Intl.DateTimeFormat("en-CA", { timeZone: "Asia/Shanghai", year: "numeric", month: "2-digit" });
export const monthOf = (text) => MONTH.format(new Date(text)).slice(0, 7);
export const signed = (points) => (points > 0 ? `+${points}` : points < 0 ? `−${-points}` : "0");
export const tone = (points) => (points < 0 ? "bad" : points > 0 ? "good" : "quiet");
