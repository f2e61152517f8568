export const ALERTS = "/api/v1/alerts";
