// English, continued: usage, keys, account and the administrator's pages.
export default {
};
