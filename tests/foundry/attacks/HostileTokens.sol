// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @dev Six decimals, and the maker has a million.
abstract contract Money is ERC20 {
    constructor() ERC20("Money", "M") {
        _mint(msg.sender, 1e12);
    }

    function decimals() public view virtual override returns (uint8) {
        return 6;
    }
}

/// @title Calls back whomever it was told to, in the middle of each transfer
contract CallbackToken is Money {
    address private _target;
    bytes private _data;

    function arm(address target, bytes calldata data) external {
        (_target, _data) = (target, data);
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (_target == address(0)) return;
        (bool done, bytes memory reason) = _target.call(_data);
        if (!done) {
            assembly {
                revert(add(reason, 32), mload(reason))
            }
        }
    }

    /// @dev The token itself may be owner or member: it hands on what it is told.
    function act(address target, bytes calldata data) external returns (bytes memory) {
        (bool done, bytes memory answer) = target.call(data);
        if (!done) {
            assembly {
                revert(add(answer, 32), mload(answer))
            }
        }
        return answer;
    }
}

/// @title Keeps a share of each transfer, once it is switched on
contract FeeToken is Money {
    uint256 public feeBp;

    function setFeeBp(uint256 feeBp_) external {
        feeBp = feeBp_;
    }

    function _update(address from, address to, uint256 value) internal override {
        uint256 fee = from == address(0) ? 0 : value * feeBp / 10_000;
        super._update(from, to, value - fee);
        if (fee != 0) super._update(from, address(0xFEE), fee);
    }
}

/// @title Says no by returning false, once it is switched on
contract FalseToken is Money {
    bool public closed;

    function close() external {
        closed = true;
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        return !closed && super.transfer(to, value);
    }

    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        return !closed && super.transferFrom(from, to, value);
    }
}

/// @title Pays nobody on its black list
contract BlacklistToken is Money {
    error Blacklisted(address account);

    mapping(address account => bool) public listed;

    function list(address account) external {
        listed[account] = true;
    }

    function _update(address from, address to, uint256 value) internal override {
        if (listed[to]) revert Blacklisted(to);
        super._update(from, to, value);
    }
}

/// @title Of as many decimals as it is made with
contract DecimalsToken is Money {
    uint8 private immutable _decimals;

    constructor(uint8 decimals_) {
        _decimals = decimals_;
    }

    function decimals() public view override returns (uint8) {
        return _decimals;
    }
}

/// @title Returns nothing, as some real ones do, and tells no decimals
contract SilentToken {
    mapping(address account => uint256) public balanceOf;

    constructor() {
        balanceOf[msg.sender] = 1e12;
    }

    function transfer(address to, uint256 value) external {
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value;
    }

    function transferFrom(address from, address to, uint256 value) external {
        balanceOf[from] -= value;
        balanceOf[to] += value;
    }
}
