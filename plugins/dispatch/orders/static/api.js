export const ORDERS = "/api/v1/work-orders";
