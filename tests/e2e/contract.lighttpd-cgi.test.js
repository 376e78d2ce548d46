import { contract } from './contract.js';

contract('lighttpd-cgi');
